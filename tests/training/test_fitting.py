from __future__ import annotations

import csv
import errno
import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from s2s2.arms import ARMS
from s2s2.core import storage
from s2s2.core.names import file_name
from s2s2.data.split import TrainingData
from s2s2.errors import ConfigError, StackError, StorageError, TrainingError
from s2s2.networks.checkpoint import load_network
from s2s2.networks.config import NetworkConfig
from s2s2.training import TrainConfig, fit
from s2s2.training.fitting import is_finished
from tests.drawn import SMALL_NETWORK
from tests.networks.dino.models import save_tiny
from tests.training.conftest import Home

SMALL = NetworkConfig(**SMALL_NETWORK)
QUICK = TrainConfig(steps=6, images_per_step=4, validations=3)
PLATEAU = replace(QUICK, optimiser="sgd", schedule="plateau")


class KilledError(Exception):
    """Stands for a kill."""


def weights(folder: Path) -> bytes:
    return (folder / "network" / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_trains_and_sees_the_same_number_of_images(home: Home, tmp_path: Path, arm: str) -> None:
    config = replace(QUICK, images_per_step=6)
    result = fit(home.data, home.stack, tmp_path / file_name(arm), network=SMALL, config=config, arm=arm)
    assert result.steps == 6
    assert result.images_seen == 36
    assert 0 <= result.best_dice <= 1
    network, card = load_network(result.network_folder, trust=(SMALL.name,))
    assert card.arm == arm
    assert network(torch.rand(1, 3, 32, 32)).shape == (1, 2, 32, 32)


def test_an_encoder_of_a_model_is_trained_on_and_loaded_without_the_model(home: Home, tmp_path: Path) -> None:
    save_tiny("dinov2", tmp_path / "model")
    network = NetworkConfig("dino-light", {"widths": [16, 8, 8, 8]}, weights=str(tmp_path / "model"))
    result = fit(home.data, home.stack, tmp_path / "fit", network=network, config=replace(QUICK, steps=3))
    shutil.rmtree(tmp_path / "model")
    loaded, card = load_network(result.network_folder)
    assert card.network.init_args["encoder"]["hidden_size"] == 24
    assert loaded(torch.rand(1, 3, 32, 32)).shape == (1, 2, 32, 32)


@pytest.mark.parametrize(
    ("arm", "images"), [("baseline", 4), ("duplicate", 8), ("slaug", 8), ("slaug+s2s2", 12)]
)
def test_as_published_every_arm_takes_as_many_cases(
    home: Home, tmp_path: Path, arm: str, images: int
) -> None:
    config = TrainConfig(steps=2, images_per_step=4, validations=1, as_published=True)
    result = fit(home.data, home.stack, tmp_path, network=SMALL, config=config, arm=arm)
    assert result.images_seen == images


def test_slaug_trains_without_a_stack_and_its_history_adds_up(home: Home, tmp_path: Path) -> None:
    fit(home.data, None, tmp_path / "alone", network=SMALL, config=QUICK, arm="slaug")
    config = replace(QUICK, images_per_step=6, w_syn=0.1, alpha_enc=0.1)
    fit(home.data, home.stack, tmp_path / "both", network=SMALL, config=config, arm="slaug+s2s2")
    for name in ("alone", "both"):
        rows = list(csv.DictReader((tmp_path / name / "history.csv").read_text().splitlines()))
        assert len(rows) == 3
        for row in rows:
            found = {
                term: float(row[term]) for term in ("total", "segmentation", "fused", "synthetic", "encoder")
            }
            parts = found["segmentation"] + found["fused"]
            if name == "both":
                assert float(row["encoder_rank"]) > 1
                parts += 0.1 * found["synthetic"]
                parts += 0.1 * found["encoder"]
            else:
                assert math.isnan(found["synthetic"])
            assert found["total"] == pytest.approx(parts, rel=1e-4)


def test_images_that_are_no_whole_number_of_cases_are_refused(home: Home, tmp_path: Path) -> None:
    words = r"--train\.images_per_step is 4, and arm 'slaug\+s2s2' shows 3 .* multiple of 6, such as 6 or 12"
    with pytest.raises(ConfigError, match=words):
        fit(home.data, home.stack, tmp_path / "out", network=SMALL, config=QUICK, arm="slaug+s2s2")
    assert not (tmp_path / "out").exists()


def test_the_history_has_a_row_for_each_validation(home: Home, tmp_path: Path) -> None:
    fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    for row in rows:
        parts = float(row["segmentation"]) + float(row["synthetic"]) + 0.4 * float(row["encoder"])
        assert float(row["total"]) == pytest.approx(parts, rel=1e-4)
        assert 0 < float(row["encoder_common"]) < 1
        assert float(row["encoder_rank"]) > 1
        assert float(row["encoder_relative"]) > 0


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_both_distances_train_in_either_form(home: Home, tmp_path: Path, form: Any) -> None:
    config = replace(QUICK, distance="angular", weighting="class", alpha_dec=0.2, forward_pass=form)
    fit(home.data, home.stack, tmp_path, network=SMALL, config=config)
    rows = list(csv.DictReader((tmp_path / "history.csv").read_text().splitlines()))
    assert all(float(row["decoder"]) > 0 for row in rows)
    for row in rows:
        parts = float(row["segmentation"]) + float(row["synthetic"])
        parts += 0.4 * float(row["encoder"]) + 0.2 * float(row["decoder"])
        assert float(row["total"]) == pytest.approx(parts, rel=1e-4)


@pytest.mark.parametrize("config", [QUICK, PLATEAU])
def test_a_killed_training_goes_on_to_the_same_bytes(home: Home, tmp_path: Path, config: TrainConfig) -> None:
    whole = fit(home.data, home.stack, tmp_path / "whole", network=SMALL, config=config)

    def kill(done: int, total: int, words: str) -> None:
        if done == 3:
            raise KilledError

    with pytest.raises(KilledError):
        fit(home.data, home.stack, tmp_path / "killed", network=SMALL, config=config, progress=kill)
    assert (tmp_path / "killed" / "state.ckpt").exists()
    seen: list[int] = []
    resumed = fit(
        home.data,
        home.stack,
        tmp_path / "killed",
        network=SMALL,
        config=config,
        progress=lambda done, total, words: seen.append(done),
    )
    assert seen == [3, 4, 5, 6]
    assert resumed.best_dice == whole.best_dice
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    histories = [(tmp_path / name / "history.csv").read_text() for name in ("killed", "whole")]
    assert histories[0] == histories[1]


def spoil(state: Path, way: str, other: Path) -> None:
    """Make a state one that cannot be used."""
    content = bytearray(state.read_bytes())
    match way:
        case "garbage":
            state.write_bytes(b"\x80\x04no state" * 50)
        case "empty":
            state.write_bytes(b"")
        case "cut":
            state.write_bytes(content[: len(content) // 2])
        case "flipped":
            content[len(content) // 2] ^= 1
            state.write_bytes(content)
        case "pickle":
            torch.save({"state_dict": {}, "code": Opens(other)}, state)
        case "another version":
            found = torch.load(state, weights_only=True)
            del found["inputs"]
            torch.save(found, state)


class Opens:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, ...]:
        return open, (self.path, "w")


@pytest.mark.parametrize("way", ["garbage", "empty", "cut", "flipped", "pickle", "another version"])
def test_a_state_that_cannot_be_used_is_set_aside_and_the_training_begins_again(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    config = TrainConfig(steps=4, images_per_step=4, validations=2)

    def train(name: str, stop: int = -1) -> list[int]:
        seen: list[int] = []

        def report(done: int, total: int, words: str) -> None:
            seen.append(done)
            if done == stop:
                raise KilledError

        fit(home.data, home.stack, tmp_path / name, network=SMALL, config=config, progress=report)
        return seen

    train("whole")
    with pytest.raises(KilledError):
        train("killed", stop=3)
    state, ran = tmp_path / "killed" / "state.ckpt", tmp_path / "ran"
    spoil(state, way, ran)
    spoiled = state.read_bytes()
    assert train("killed") == [1, 2, 3, 4]
    assert not ran.exists()
    assert state.with_name("state.ckpt.broken").read_bytes() == spoiled
    assert not state.exists()
    (line,) = caplog.messages
    assert line.startswith(f"s2s2: {state} cannot be used (it is ")
    assert line.endswith("It is kept as state.ckpt.broken; this work begins again.")
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


def test_the_state_of_another_training_is_not_gone_on_from(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def kill(done: int, total: int, words: str) -> None:
        if done == 3:
            raise KilledError

    for seed in (0, 1):
        with pytest.raises(KilledError):
            fit(
                home.data,
                home.stack,
                tmp_path / f"{seed}",
                network=SMALL,
                config=QUICK,
                seed=seed,
                progress=kill,
            )
    (tmp_path / "1" / "state.ckpt").replace(tmp_path / "0" / "state.ckpt")
    fit(home.data, home.stack, tmp_path / "0", network=SMALL, config=QUICK)
    assert "of other inputs or another version" in caplog.text


def test_a_second_training_in_the_same_folder_is_refused_while_the_first_runs(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s2.core.storage.PATIENCE_S", 0.0)
    refused: list[str] = []

    def meddle(done: int, total: int, words: str) -> None:
        if done == 3:
            with pytest.raises(StorageError, match="Another process is at work in") as found:
                fit(home.data, home.stack, tmp_path / "same", network=SMALL, config=QUICK)
            refused.append(str(found.value))

    fit(home.data, home.stack, tmp_path / "same", network=SMALL, config=QUICK, progress=meddle)
    assert len(refused) == 1


def test_a_training_that_waited_for_its_folder_takes_what_was_finished_there(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, first = storage.claimed, []

    @contextmanager
    def claimed_late(folder: Path) -> Iterator[None]:
        monkeypatch.undo()
        first.append(fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK))
        with claimed(folder):
            yield

    monkeypatch.setattr("s2s2.core.engine.trainer.claimed", claimed_late)
    steps: list[int] = []
    again = fit(
        home.data,
        home.stack,
        tmp_path,
        network=SMALL,
        config=QUICK,
        progress=lambda done, total, words: steps.append(done),
    )
    assert [again] == first
    assert steps == []


def test_a_finished_training_is_not_done_again(home: Home, tmp_path: Path) -> None:
    first = fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    steps: list[int] = []
    again = fit(
        home.data,
        home.stack,
        tmp_path,
        network=SMALL,
        config=QUICK,
        progress=lambda done, total, words: steps.append(done),
    )
    assert again == first
    assert not steps


@pytest.mark.parametrize(
    "name", ["network/weights.safetensors", "network/network.json", "history.csv", "fit.json"]
)
def test_a_training_whose_files_were_altered_is_done_again_to_the_same_bytes(
    home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    config = TrainConfig(steps=2, images_per_step=4, validations=1)
    first = fit(home.data, home.stack, tmp_path, network=SMALL, config=config)
    path, left = tmp_path / name, tmp_path / ".1-ab.part.ckpt"
    before = path.read_bytes()
    path.write_bytes(before[:-5])
    left.write_bytes(b"what a killed training left")
    again = fit(home.data, home.stack, tmp_path, network=SMALL, config=config)
    assert again.best_dice == first.best_dice
    assert name == "fit.json" or path.read_bytes() == before
    assert not left.exists()
    (line,) = caplog.messages
    assert line.startswith(f"s2s2: {path} ")
    assert is_finished(tmp_path)


def test_other_settings_are_refused_and_nothing_is_lost(home: Home, tmp_path: Path) -> None:
    fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    before = weights(tmp_path)
    with pytest.raises(TrainingError, match=r"other inputs: seed was 0, now 1\..*another output folder"):
        fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK, seed=1)
    assert weights(tmp_path) == before


def test_a_loss_that_is_not_finite_stops_with_advice(home: Home, tmp_path: Path) -> None:
    wild = TrainConfig(steps=4, images_per_step=4, validations=2, learning_rate=1e30, clip_norm=0.0)
    with pytest.raises(TrainingError, match=r"loss became (nan|inf).*learning_rate"):
        fit(home.data, home.stack, tmp_path, network=SMALL, config=wild)


def test_an_empty_validation_split_is_refused(home: Home, tmp_path: Path) -> None:
    empty = TrainingData(home.data.train, home.dataset.subset([]))
    with pytest.raises(TrainingError, match="validation split is empty"):
        fit(empty, home.stack, tmp_path, network=SMALL, config=QUICK)


def test_an_arm_that_needs_a_stack_says_so(home: Home, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="'s2s2' shows copies of a stack, and no stack was given"):
        fit(home.data, None, tmp_path, network=SMALL, config=QUICK)


def test_a_stack_of_other_cases_is_refused(home: Home, tmp_path: Path) -> None:
    other = home.dataset.subset([*home.split.train, *home.split.test])
    with pytest.raises(StackError, match=home.split.test[0]):
        fit(TrainingData(other, home.data.validation), home.stack, tmp_path, network=SMALL, config=QUICK)


def test_two_workers_give_the_same_as_none(home: Home, tmp_path: Path) -> None:
    alone = TrainConfig(steps=2, images_per_step=4, validations=1, workers=0)
    helped = TrainConfig(steps=2, images_per_step=4, validations=1, workers=2)
    fit(home.data, home.stack, tmp_path / "alone", network=SMALL, config=alone)
    fit(home.data, home.stack, tmp_path / "helped", network=SMALL, config=helped)
    assert weights(tmp_path / "alone") == weights(tmp_path / "helped")


def test_the_record_names_what_was_made(home: Home, tmp_path: Path) -> None:
    result = fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    record = json.loads((tmp_path / "fit.json").read_text())
    assert record["finished"] is True
    assert record["best_dice"] == result.best_dice
    assert not (tmp_path / "state.ckpt").exists()


def test_a_full_disk_is_said_and_the_best_network_stays(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("s2s2.core.engine.state.ResumableState.on_train_epoch_end", full)
    with pytest.raises(StorageError, match="the disk is full"):
        fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK)
    load_network(tmp_path / "network", trust=(SMALL.name,))
    monkeypatch.undo()
    assert fit(home.data, home.stack, tmp_path, network=SMALL, config=QUICK).steps == 6
