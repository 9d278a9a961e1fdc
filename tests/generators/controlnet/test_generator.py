"""Tune, resume, sample, stack, train: all on a tiny Stable Diffusion, as a user would."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image as Pillow

from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError, GeneratorError, SplitError, StackError
from s2s2.generators import ControlNet, LearningGenerator, build_generator
from s2s2.generators.controlnet.items import LATENTS
from s2s2.generators.controlnet.sampling import Sampler
from s2s2.networks import NetworkConfig
from s2s2.stack import build_stack
from s2s2.training import TrainConfig, fit
from tests.drawn import SMALL_NETWORK, draw_site
from tests.generators.controlnet.conftest import Cases, Tuned, quick

WEIGHTS = "controlnet/diffusion_pytorch_model.safetensors"


def test_it_is_a_generator_that_is_tuned(tuned: Tuned) -> None:
    generator = tuned.generator
    assert isinstance(generator, LearningGenerator)
    assert generator.learners == (generator,)
    assert generator.batch == 4
    assert generator.tuned
    assert generator.traits == frozenset()


def test_a_tuning_leaves_a_controlnet_that_diffusers_loads(tuned: Tuned, cases: Cases) -> None:
    from diffusers import ControlNetModel

    record = json.loads((tuned.folder / "tuned.json").read_text())
    assert record["inputs"]["data"]["train"] == list(cases.split.train) == list(tuned.generator.case_ids)
    assert record["steps"] == 4
    assert tuned.generator.weights.startswith(record["weights"])
    network = ControlNetModel.from_pretrained(tuned.folder / "controlnet")
    assert any(parameter.any() for parameter in network.controlnet_down_blocks.parameters())  # no longer zero
    card = (tuned.folder / "controlnet" / "README.md").read_text()
    assert "license_name: creativeml-openrail-m" in card
    rows = list(csv.DictReader((tuned.folder / "history.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == [2, 4]
    with Pillow.open(tuned.folder / "samples" / "step-000004.jpg") as sheet:
        assert sheet.width > sheet.height > 100
    left = {path.name for path in tuned.folder.iterdir()}
    assert left == {
        "tuned.json",
        "history.csv",
        "samples",
        "controlnet",
        ".lock",
    }  # neither latents nor state


def test_copies_lie_on_the_working_grid_and_follow_from_seed_case_and_number(
    tuned: Tuned, cases: Cases
) -> None:
    first, second = (cases.dataset.case(case_id) for case_id in cases.split.train[:2])
    copies = tuned.generator.sample(first, 3, seed=0)
    assert copies.shape == (3, *cases.dataset.image(first).shape)
    assert copies.dtype == np.float32
    assert 0 <= copies.min() < copies.max() <= 1
    assert np.allclose(tuned.generator.sample(first, 1, seed=0, start=2)[0], copies[2], atol=1e-5)
    together = tuned.generator.sample_batch([second, first], 3, seed=0)
    assert np.allclose(together[1], copies, atol=1e-5)
    assert (
        len({copy.tobytes() for copy in (*copies, *together[0], *tuned.generator.sample(first, 1, 1))}) == 7
    )


def test_a_case_that_was_not_learnt_gets_no_copies(tuned: Tuned, cases: Cases) -> None:
    with pytest.raises(SplitError, match="Copies are made of training cases alone"):
        tuned.generator.sample(cases.dataset.case(cases.split.test[0]), 1, 0)


def test_another_process_gives_the_same_copies(tuned: Tuned, cases: Cases) -> None:
    case = cases.dataset.case(cases.split.train[4])
    expected = tuned.generator.sample(case, 2, seed=5)
    assert len(pickle.dumps(tuned.generator)) < 100_000
    assert np.array_equal(pickle.loads(pickle.dumps(tuned.generator)).sample(case, 2, seed=5), expected)


def test_another_way_of_sampling_takes_the_same_weights(tuned: Tuned, cases: Cases) -> None:
    options = {**tuned.generator.config(), "preset": "paper", "steps": 2, "guidance": 1.0, "sample_batch": 3}
    other = build_generator({"name": "controlnet", "init_args": options})
    assert isinstance(other, ControlNet)
    assert other.learning() == tuned.generator.learning()
    other.place(tuned.folder)
    assert other.fit(*cases).weights == tuned.generator.weights


def test_a_finished_tuning_is_taken_as_it_is(tuned: Tuned, cases: Cases) -> None:
    again = build_generator({"name": "controlnet", "init_args": tuned.generator.config()})
    assert isinstance(again, ControlNet)
    assert (again.weights, again.case_ids, again.tuned) == ("", (), False)
    again.place(tuned.folder)
    assert again.tuned
    before = (tuned.folder / WEIGHTS).stat().st_mtime_ns
    assert again.fit(*cases).weights == tuned.generator.weights
    assert (tuned.folder / WEIGHTS).stat().st_mtime_ns == before


class StopError(Exception):
    pass


def test_an_interrupted_tuning_ends_in_the_same_bytes(tuned: Tuned, cases: Cases, tmp_path: Path) -> None:
    told: list[tuple[int, str]] = []

    def stop(done: int, total: int, words: str) -> None:
        told.append((done, words))
        if done == 3:
            raise StopError

    generator = ControlNet(tuned.config)
    generator.place(tmp_path / "generator")
    with pytest.raises(StopError):
        generator.tune(*cases, progress=stop)
    assert told[0][1].startswith(f"{tuned.config.base}, licence creativeml-openrail-m; tuning takes about")
    assert "8 of 8 images encoded" in [words for _, words in told]
    assert not generator.tuned
    assert (tmp_path / "generator" / LATENTS).exists()
    later: list[int] = []
    generator.tune(*cases, progress=lambda done, total, words: later.append(done))
    assert [done for done in later if done] == [3, 4]  # it went on at the check after step 2
    for name in (WEIGHTS, "samples/step-000004.jpg", "controlnet/config.json"):
        assert (tmp_path / "generator" / name).read_bytes() == (tuned.folder / name).read_bytes()


def test_the_judge_sees_samples_on_the_working_grid_and_the_best_weights_are_kept(
    folders: dict[str, Path], cases: Cases, tmp_path: Path
) -> None:
    seen: list[tuple[Any, ...]] = []

    def judge(images: npt.NDArray[Any], masks: npt.NDArray[Any], ids: Any) -> npt.NDArray[Any]:
        seen.append((images.shape, masks.shape, len(ids)))
        return np.full(len(ids), 0.9 if len(seen) == 1 else 0.1)

    generator = ControlNet(quick(folders["1.5"]))
    generator.place(tmp_path)
    generator.tune(*cases, judge=judge)
    assert seen == [((2, 3, 32, 32), (2, 32, 32), 2)] * 2
    record = json.loads((tmp_path / "tuned.json").read_text())
    assert (record["best_agreement"], record["kept_step"]) == (0.9, 2)


def test_other_cases_and_other_settings_are_refused(tuned: Tuned, cases: Cases) -> None:
    train, test = cases.split.train, cases.split.test
    moved = Split((*train[2:], *test), cases.split.validation, train[:2])
    other = ControlNet(tuned.config)
    other.place(tuned.folder)
    with pytest.raises(GeneratorError, match=r"data.train has lost \S+, \S+ and has gained"):
        other.fit(cases.dataset, moved)
    for options, words in (
        ({"learning_rate": 1e-4}, "tuning.learning_rate was 0.001, now 0.0001"),
        ({"modality": "A photograph"}, 'modality was "An image of the colon", now "A photograph"'),
    ):
        different = ControlNet(quick(Path(tuned.config.base), **options))
        different.place(tuned.folder)
        with pytest.raises(GeneratorError, match=words):
            different.fit(*cases)
    assert (tuned.folder / WEIGHTS).exists()


def test_how_to_sample_may_change_after_tuning(tuned: Tuned, cases: Cases) -> None:
    other = ControlNet(quick(Path(tuned.config.base), preset="paper", steps=3))
    other.place(tuned.folder)
    case = cases.dataset.case(cases.split.train[0])
    copies = [generator.sample(case, 1, 0) for generator in (other.fit(*cases), tuned.generator)]
    assert not np.allclose(*copies, atol=1e-3)


def test_it_must_be_placed_and_fitted_first(folders: dict[str, Path], cases: Cases) -> None:
    generator = ControlNet(quick(folders["1.5"]))
    with pytest.raises(ConfigError, match=r"Call place\(folder\) first"):
        generator.tune(*cases)
    with pytest.raises(ConfigError, match=r"Call fit\(dataset, split\) first"):
        generator.sample(cases.dataset[0], 1, 0)


def test_a_handful_of_cases_is_too_few(folders: dict[str, Path], cases: Cases, tmp_path: Path) -> None:
    generator = ControlNet(quick(folders["1.5"]))
    generator.place(tmp_path)
    few = Split(cases.split.train[:6], cases.split.validation, cases.split.test)
    with pytest.raises(
        GeneratorError, match="The training split has 6 cases, and a generator that learns needs 8"
    ):
        generator.tune(cases.dataset, few)


def test_weights_of_another_tuning_are_noticed(tuned: Tuned, cases: Cases, tmp_path: Path) -> None:
    copy = shutil.copytree(tuned.folder, tmp_path / "copy")
    generator = ControlNet(tuned.config)
    generator.place(Path(copy))
    generator.fit(*cases)
    with open(copy / WEIGHTS, "r+b") as file:
        file.seek(-4, 2)
        file.write(b"\0\0\0\0")
    with pytest.raises(GeneratorError, match=r"is not the file of weights that tuned.json above it names"):
        generator.sample(cases.dataset.case(cases.split.train[0]), 1, 0)


def test_a_gpu_that_is_too_small_is_told_what_fits(
    tuned: Tuned, cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Sampler, "images", full)
    with pytest.raises(
        GeneratorError, match=r"while making 4 images at once. Try controlnet\(sample_batch=2, ...\)"
    ):
        tuned.generator.sample(cases.dataset.case(cases.split.train[0]), 1, 0)


def test_grey_images_come_back_grey(folders: dict[str, Path], tmp_path: Path) -> None:
    dataset = Dataset.open(draw_site(tmp_path / "grey", channels=1, classes=3, shape=(30, 20)), size=24)
    ids = dataset.ids
    generator = ControlNet(quick(folders["2.1"], cache=False, flip=True, checks=1))
    generator.place(tmp_path / "generator")
    generator.tune(dataset, Split(ids[:8], ids[8:10], ids[10:]))
    assert not (tmp_path / "generator" / LATENTS).exists()
    assert generator.sample(dataset[0], 2, 0).shape == (2, 1, 24, 16)


def test_other_channels_are_sent_to_the_other_generator(
    folders: dict[str, Path], cases: Cases, tmp_path: Path
) -> None:
    from tests.generators.made import drawn

    dataset = drawn(tmp_path / "five", channels=5)
    generator = ControlNet(quick(folders["1.5"]))
    generator.place(tmp_path / "generator")
    with pytest.raises(GeneratorError, match=r"got 5 channels. Use the generator 'diffusion'"):
        generator.tune(dataset, Split(dataset.ids[:4], dataset.ids[4:6], dataset.ids[6:]))


def test_a_stack_is_built_and_trained_on(tuned: Tuned, cases: Cases, tmp_path: Path) -> None:
    stack = build_stack(tuned.generator, *cases, tmp_path / "stack", depth=2, seed=0)
    assert stack.manifest["source"] == sorted(cases.split.train)
    case = cases.dataset.case(cases.split.train[1])
    copies = tuned.generator.sample(case, 2, 0)
    assert np.abs(stack.copy(case.id, 1) - copies[1]).max() < 1.5 / 255
    result = fit(
        cases.split.training(cases.dataset),
        stack,
        tmp_path / "fit",
        network=NetworkConfig(**SMALL_NETWORK),
        config=TrainConfig(steps=2, images_per_step=4, validations=1),
    )
    assert result.steps == 2


def test_a_stack_refuses_a_generator_that_has_seen_a_test_case(
    tuned: Tuned, cases: Cases, tmp_path: Path
) -> None:
    train, test = cases.split.train, cases.split.test
    moved = Split((*train[2:], *test), cases.split.validation, train[:2])
    with pytest.raises(StackError, match="was fitted on 2 cases that are not training cases"):
        build_stack(tuned.generator, cases.dataset, moved, tmp_path / "stack", depth=1, seed=0)
