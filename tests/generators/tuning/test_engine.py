from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from s2s2.core import storage
from s2s2.core.engine.precision import precision_of
from s2s2.data import Dataset
from s2s2.errors import ConfigError, GeneratorError, StorageError
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.grid import JudgedCases, draw_samples
from s2s2.generators.tuning.record import is_tuned, read_record, weights_digest
from tests.drawn import draw_site
from tests.generators.tuning.little import LittleModule, tune_little

CONFIG = TuneConfig(steps=10, batch=3, checks=3, judged=5, learning_rate=1e-2, warmup=2, ema=0.9)


@pytest.fixture
def train(site: Path) -> Dataset:
    return Dataset.open(site, size=32)


class StoppedError(Exception):
    pass


def stop_at(step: int):
    def progress(done: int, total: int, words: str) -> None:
        if done == step:
            raise StoppedError

    return progress


def everything(folder: Path) -> dict[str, str]:
    """Digests of all that a tuning leaves but the curve, which holds times."""
    record = read_record(folder) or {}
    known = {name: known for name, known in record["outputs"].items() if name != "history.csv"}
    said = json.dumps({**record, "outputs": known, "seal": ""})
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("history.csv", "tuned.json")
    } | {"tuned.json": said}


class BlueJudge:
    """Likes images by their mean; counts what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, ...]] = []

    def __call__(self, images: np.ndarray, masks: np.ndarray, case_ids: object) -> np.ndarray:
        assert images.dtype == np.float32
        assert masks.dtype == np.uint8
        assert 0 <= images.min() <= images.max() <= 1
        self.shown.append(images.shape)
        return images.mean(axis=(1, 2, 3))


def test_a_tuning_leaves_weights_record_curve_and_pictures(train: Dataset, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    judge = BlueJudge()
    record = tune_little(
        train,
        tmp_path / "made",
        CONFIG,
        judge=judge,
        progress=lambda done, total, words: seen.append((done, total)),
    )
    folder = tmp_path / "made"
    assert record == read_record(folder)
    assert (record["finished"], record["format"], record["steps"]) == (True, 1, 10)
    assert tuple(record["inputs"]["data"]["train"]) == train.ids
    assert record["weights"] == weights_digest(folder / "weights.safetensors")
    assert record["software"]["torch"] == torch.__version__
    assert seen == [(step, 10) for step in range(1, 11)]
    curve = pd.read_csv(folder / "history.csv")
    assert curve.step.tolist() == [4, 8, 10]
    assert curve.loss.iloc[-1] < curve.loss.iloc[0]
    assert curve.agreement.max() == pytest.approx(record["best_agreement"])
    assert judge.shown == [(5, 3, 32, 32)] * 3
    pictures = sorted(path.name for path in (folder / "samples").iterdir())
    assert pictures == ["step-000004.jpg", "step-000008.jpg", "step-000010.jpg"]
    with Image.open(folder / "samples" / pictures[0]) as picture:
        assert picture.size == (5 * 166 + 6, 21 + 5 * 181)
    assert not (folder / "state.ckpt").exists()


@pytest.mark.parametrize("step", [1, 4, 5, 9, 10])
def test_a_tuning_that_was_stopped_goes_on_to_the_same_bytes(
    train: Dataset, tmp_path: Path, step: int
) -> None:
    config = replace(CONFIG, accumulate=2, schedule="cosine")
    tune_little(train, tmp_path / "whole", config, judge=BlueJudge())
    with pytest.raises(StoppedError):
        tune_little(train, tmp_path / "stopped", config, judge=BlueJudge(), progress=stop_at(step))
    assert read_record(tmp_path / "stopped") is None
    tune_little(train, tmp_path / "stopped", config, judge=BlueJudge())
    assert everything(tmp_path / "whole") == everything(tmp_path / "stopped")


def test_a_state_that_cannot_be_used_is_set_aside_and_the_tuning_begins_again(
    train: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tune_little(train, tmp_path / "whole", CONFIG)
    with pytest.raises(StoppedError):
        tune_little(train, tmp_path / "stopped", CONFIG, progress=stop_at(5))
    (tmp_path / "stopped" / "state.ckpt").write_bytes(b"no state")
    tune_little(train, tmp_path / "stopped", CONFIG)
    assert "It is kept as state.ckpt.broken; this work begins again." in caplog.text
    (tmp_path / "stopped" / "state.ckpt.broken").unlink()
    assert everything(tmp_path / "whole") == everything(tmp_path / "stopped")


def test_a_second_tuning_of_the_same_folder_is_refused_while_the_first_runs(
    train: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s2.core.storage.PATIENCE_S", 0.0)
    refused: list[str] = []

    def meddle(done: int, total: int, words: str) -> None:
        if done == 5:
            with pytest.raises(
                StorageError, match=r"Another process is at work in .*another folder"
            ) as found:
                tune_little(train, tmp_path / "tuned", CONFIG)
            refused.append(str(found.value))

    tune_little(train, tmp_path / "tuned", CONFIG, progress=meddle)
    assert refused
    tune_little(train, tmp_path / "whole", CONFIG)
    assert everything(tmp_path / "tuned") == everything(tmp_path / "whole")


def test_a_tuning_that_waited_for_its_folder_takes_what_was_finished_there(
    train: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, first = storage.claimed, []

    @contextmanager
    def claimed_late(folder: Path) -> Iterator[None]:
        monkeypatch.undo()
        first.append(tune_little(train, tmp_path, CONFIG))
        with claimed(folder):
            yield

    monkeypatch.setattr("s2s2.core.engine.trainer.claimed", claimed_late)
    assert [tune_little(train, tmp_path, CONFIG, progress=stop_at(1))] == first


def test_a_finished_tuning_is_left_alone(train: Dataset, tmp_path: Path) -> None:
    first = tune_little(train, tmp_path, CONFIG)
    assert tune_little(train, tmp_path, CONFIG, progress=stop_at(1)) == first


def test_another_config_or_other_cases_are_refused(train: Dataset, tmp_path: Path) -> None:
    tune_little(train, tmp_path, CONFIG)
    with pytest.raises(GeneratorError, match=r"tuning\.steps was 10, now 20.*another folder"):
        tune_little(train, tmp_path, replace(CONFIG, steps=20))
    with pytest.raises(GeneratorError, match=r"data.train has lost case_11.*has seen must not be"):
        tune_little(train.subset(train.ids[:-1]), tmp_path, CONFIG)


def test_too_few_cases_are_refused(train: Dataset, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"has 7 cases.*needs 8"):
        tune_little(train.subset(train.ids[:7]), tmp_path, CONFIG)


def test_a_loss_that_is_no_number_stops_the_tuning(
    train: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        LittleModule, "loss", lambda self, batch, noise: next(self.parameters()).sum() * torch.nan
    )
    with pytest.raises(GeneratorError, match=r"became nan before step 4.*learning_rate"):
        tune_little(train, tmp_path, CONFIG)


@pytest.mark.parametrize("kind", [torch.OutOfMemoryError, MemoryError])
def test_short_memory_names_the_batch_that_would_fit(
    train: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def loss(self: LittleModule, batch: object, noise: object) -> torch.Tensor:
        raise kind("out of memory")

    monkeypatch.setattr(LittleModule, "loss", loss)
    with pytest.raises(GeneratorError, match=r"batch 8.*Try batch 4 with accumulate 2"):
        tune_little(train, tmp_path, replace(CONFIG, batch=8))


def test_patience_stops_and_the_best_weights_are_kept(train: Dataset, tmp_path: Path) -> None:
    class Souring(BlueJudge):
        def __call__(self, images: np.ndarray, masks: np.ndarray, case_ids: object) -> np.ndarray:
            self.shown.append(images.shape)
            return np.full(len(images), 0.9 - 0.1 * len(self.shown))

    config = replace(CONFIG, steps=20, checks=10, patience=3)
    record = tune_little(train, tmp_path / "soured", config, judge=Souring())
    assert (record["steps"], record["kept_step"], record["best_step"]) == (8, 2, 2)
    assert record["best_agreement"] == pytest.approx(0.8)
    # Killed after the last check and before the record: nothing is learnt on top.
    with pytest.raises(StoppedError):
        tune_little(train, tmp_path / "stopped", config, judge=Souring(), progress=stop_at(8))


def test_without_a_judge_the_last_weights_are_kept(train: Dataset, tmp_path: Path) -> None:
    record = tune_little(train, tmp_path, CONFIG)
    assert record["kept_step"] == 10
    assert record["best_agreement"] is None


def killed(site: Path, folder: Path) -> None:
    def die(done: int, total: int, words: str) -> None:
        if done == 7:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    tune_little(Dataset.open(site, size=32), folder, CONFIG, progress=die)


def test_a_tuning_that_was_killed_goes_on_to_the_same_bytes(
    site: Path, train: Dataset, tmp_path: Path
) -> None:
    process = get_context("spawn").Process(target=killed, args=(site, tmp_path / "stopped"))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert (tmp_path / "stopped" / "state.ckpt").exists()
    torch.load(tmp_path / "stopped" / "state.ckpt", weights_only=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name in ("whole", "stopped"):
            tune_little(train, tmp_path / name, CONFIG)
    finally:
        torch.set_num_threads(threads)
    assert everything(tmp_path / "whole") == everything(tmp_path / "stopped")


def test_eight_bit_says_what_is_missing(train: Dataset, tmp_path: Path) -> None:
    if importlib.util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(ConfigError, match="pip install bitsandbytes"):
        tune_little(train, tmp_path, replace(CONFIG, eight_bit=True))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"patience": -1}, "patience must be at least 0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"ema": 1.0}, "ema"),
        ({"schedule": "linear"}, "cosine, polynomial, constant"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TuneConfig(**options)


def test_a_generator_of_grey_images_is_drawn_too(tmp_path: Path) -> None:
    train = Dataset.open(draw_site(tmp_path / "site", channels=1, classes=3), size=32)
    judged = JudgedCases.drawn(train, 3, seed=0)
    rows = [(case, [train.image(case)] * 2) for case in judged.cases]
    draw_samples(tmp_path / "grid.jpg", judged, rows)
    with Image.open(tmp_path / "grid.jpg") as picture:
        assert picture.size == (4 * 166 + 6, 21 + 3 * 181)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the GPU decides")
@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, "bf16-mixed"),
        ({"amx_bf16": True}, "bf16-mixed"),
        ({"avx512_bf16": False, "avx2": True}, "32-true"),
        ({}, "32-true"),
    ],
)
def test_a_processor_that_has_bfloat16_uses_it(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, bool], chosen: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert precision_of(TuneConfig(precision="auto")) == chosen
    assert precision_of(TuneConfig(precision="16-mixed")) == "16-mixed"


def test_a_tuning_whose_weights_were_altered_is_done_again_to_the_same_bytes(
    train: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tune_little(train, tmp_path / "tuned", CONFIG)
    before = everything(tmp_path / "tuned")
    weights = tmp_path / "tuned" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert not is_tuned(tmp_path / "tuned")
    tune_little(train, tmp_path / "tuned", CONFIG)
    assert everything(tmp_path / "tuned") == before
    assert [message for message in caplog.messages if str(weights) in message]
