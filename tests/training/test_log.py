"""The TensorBoard log: what it holds is the history, and an altered one is made again from it."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from s2s2.networks.config import NetworkConfig
from s2s2.training import TrainConfig, fit
from tests.drawn import SMALL_NETWORK
from tests.training.conftest import Home

SMALL = NetworkConfig(**SMALL_NETWORK)
QUICK = TrainConfig(steps=4, images_per_step=4, validations=2)


def events(folder: Path) -> Path:
    (file,) = (folder / "tensorboard").glob("events*")
    return file


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return what TensorBoard would show."""
    read = EventAccumulator(str(folder / "tensorboard"))
    read.Reload()
    return {name: [(each.step, each.value) for each in read.Scalars(name)] for name in read.Tags()["scalars"]}


def history(folder: Path) -> dict[str, list[tuple[int, float]]]:
    rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    found = {
        # TensorBoard keeps single precision.
        name: [
            (int(row["step"]), float(np.float32(row[name])))
            for row in rows
            if math.isfinite(float(row[name]))
        ]
        for name in rows[0]
        if name != "step"
    }
    return {name: values for name, values in found.items() if values}


ALTERED: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "flipped": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"\1" + path.read_bytes()[-8:]),
    "emptied": lambda path: path.write_bytes(b""),
    "removed": Path.unlink,
    "removed with its folder": lambda path: shutil.rmtree(path.parent),
    "its record cut": lambda path: path.with_name("written.json").write_text("{"),
}


@pytest.mark.parametrize("way", ALTERED)
def test_an_altered_log_is_made_again_from_the_history(home: Home, tmp_path: Path, way: str) -> None:
    result = fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    trained = (tmp_path / "network" / "weights.safetensors").stat().st_mtime_ns
    whole = curves(tmp_path)
    assert whole == history(tmp_path)
    kept = events(tmp_path).read_bytes()
    assert fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK) == result
    assert events(tmp_path).read_bytes() == kept
    ALTERED[way](events(tmp_path))
    assert fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK) == result
    assert curves(tmp_path) == whole
    assert (tmp_path / "network" / "weights.safetensors").stat().st_mtime_ns == trained
    kept = events(tmp_path).read_bytes()
    fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    assert events(tmp_path).read_bytes() == kept
