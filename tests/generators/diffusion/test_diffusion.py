from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from s2s2.core.progress import Progress
from s2s2.data import Dataset, split_by_group
from s2s2.data.split import Split
from s2s2.errors import ConfigError, GeneratorError, SplitError
from s2s2.generators import Diffusion, DiffusionConfig, build_generator
from s2s2.generators.diffusion.module import FlowModule
from s2s2.generators.diffusion.network import MaskUNet
from s2s2.generators.options import from_json
from s2s2.stack import build_stack
from tests.drawn import draw_site

SMALL: dict[str, Any] = {
    "preset": "cpu",
    "channels": (16, 32),
    "steps": 3,
    "batch": 4,
    "checks": 1,
    "judged": 2,
    "solver_steps": 2,
    "resolution": 32,
}


def tiny(**options: Any) -> DiffusionConfig:
    """Settings that tune in a second, and these."""
    return from_json(DiffusionConfig, "diffusion", {**SMALL, **options})


TINY = tiny()


def opened(site: Path, size: int | None = 32) -> tuple[Dataset, Split]:
    dataset = Dataset.open(site, size=size)
    return dataset, split_by_group(dataset, counts=(8, 2, 2))


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Diffusion, Dataset, Split, Path]:
    root = tmp_path_factory.mktemp("diffusion")
    dataset, split = opened(draw_site(root / "site"))
    generator = Diffusion(TINY)
    generator.place(root / "made")
    return generator.tune(dataset, split), dataset, split, root


Tuned = tuple[Diffusion, Dataset, Split, Path]


def test_it_knows_what_it_saw_and_where_it_lies(tuned: Tuned) -> None:
    generator, _, split, root = tuned
    assert generator.case_ids == split.train
    assert generator.folder == root / "made"
    assert generator.tuned
    assert len(generator.weights) == 16


def test_another_way_of_sampling_takes_the_same_weights(tuned: Tuned) -> None:
    generator, dataset, split, root = tuned
    before = (root / "made" / "weights.safetensors").stat().st_mtime_ns
    other = Diffusion(tiny(solver="euler", solver_steps=1, guidance=3.0, made_at_once=2))
    assert other.learning() == generator.learning()
    other.place(root / "made")
    assert other.fit(dataset, split).weights == generator.weights
    assert (root / "made" / "weights.safetensors").stat().st_mtime_ns == before


def test_copies_depend_on_seed_case_and_number_alone(tuned: Tuned) -> None:
    generator, dataset, split, _ = tuned
    first, second = (dataset.case(case_id) for case_id in split.train[:2])
    copies = generator.sample(first, 3, seed=0)
    assert copies.shape == (3, *dataset.image(first).shape)
    assert copies.dtype == np.float32
    assert 0 <= copies.min() <= copies.max() <= 1
    assert np.array_equal(copies, generator.sample(first, 3, seed=0))
    # The rounding of a network depends a little on what else is in its batch.
    assert generator.sample(first, 1, seed=0, start=2)[0] == pytest.approx(copies[2], abs=1e-4)
    assert generator.sample_batch([second, first], 3, seed=0)[1] == pytest.approx(copies, abs=1e-4)
    others = [generator.sample(first, 1, seed=1), generator.sample(second, 1, seed=0), copies[1:2]]
    assert all(np.abs(other - copies[:1]).max() > 0.01 for other in others)


def test_a_loaded_tuning_makes_the_same_copies(tuned: Tuned) -> None:
    generator, dataset, split, root = tuned
    again = Diffusion(TINY)
    again.place(root / "made")
    again.fit(dataset, split)
    case = dataset.case(split.train[0])
    assert again.weights == generator.weights
    assert np.array_equal(again.sample(case, 2, 5), generator.sample(case, 2, 5))
    travelled = pickle.loads(pickle.dumps(again))
    assert np.array_equal(travelled.sample(case, 2, 5), generator.sample(case, 2, 5))


def test_another_split_or_other_settings_are_refused(tuned: Tuned) -> None:
    _, dataset, split, root = tuned
    other = Diffusion(tiny(channels=(16, 16)))
    other.place(root / "made")
    with pytest.raises(GeneratorError, match=r"widths was \[16, 32\], now \[16, 16\]"):
        other.fit(dataset, split)
    swapped = Split(
        train=(*split.train[:-2], *split.test), validation=split.validation, test=split.train[-2:]
    )
    same = Diffusion(TINY)
    same.place(root / "made")
    with pytest.raises(GeneratorError, match=r"data.train has lost \S+, \S+ and has gained"):
        same.fit(dataset, swapped)


def test_corrupt_weights_are_made_again(tuned: Tuned, tmp_path: Path) -> None:
    _, dataset, split, root = tuned
    for path in (root / "made").iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"corrupt")
    corrupt = Diffusion(TINY)
    corrupt.place(tmp_path)
    corrupt.fit(dataset, split)
    assert weights.read_bytes() == (root / "made" / "weights.safetensors").read_bytes()


def test_only_training_cases_are_sampled(tuned: Tuned) -> None:
    generator, dataset, split, _ = tuned
    with pytest.raises(SplitError, match="training cases alone"):
        generator.sample(dataset.case(split.test[0]), 1, 0)


def test_it_must_be_placed_and_fitted(site: Path) -> None:
    dataset, split = opened(site)
    with pytest.raises(ConfigError, match="not fitted"):
        Diffusion(TINY).sample(dataset.case(split.train[0]), 1, 0)
    with pytest.raises(ConfigError, match=r"place\(folder\)"):
        Diffusion(TINY).fit(dataset, split)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": (24,)}, "multiple of 16"),
        ({"autoencoder_channels": ()}, "autoencoder_channels"),
        ({"mask_dropout": 1.5}, "0 to 1"),
        ({"resolution": 8}, "resolution must lie in 16"),
        ({"solver_steps": 0}, "solver_steps"),
        ({"guidance": -1.0}, "guidance"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        tiny(**options)


@pytest.mark.parametrize(
    ("channels", "classes", "size", "resolution"), [(1, 3, 48, 32), (3, 2, None, 32), (1, 2, 32, 64)]
)
def test_a_stack_of_any_images_is_built(
    tmp_path: Path, channels: int, classes: int, size: int | None, resolution: int
) -> None:
    site = draw_site(tmp_path / "site", channels=channels, classes=classes)
    dataset, split = opened(site, size)
    text = (
        f"diffusion(preset='cpu', channels=[16, 16], steps=2, batch=4, checks=1, judged=2, "
        f"solver_steps=1, guidance=1.0, solver='euler', resolution={resolution})"
    )
    generator = build_generator(text)
    generator.place(tmp_path / "generator")
    stack = build_stack(generator, dataset, split, tmp_path / "stack", depth=2, seed=0)
    case = dataset.case(split.train[0])
    assert stack.depth == 2
    assert stack.copy(case.id, 1).shape == dataset.image(case).shape


def test_a_stopped_tuning_goes_on_to_the_same_weights(site: Path, tmp_path: Path) -> None:
    dataset, split = opened(site)
    config = tiny(steps=4, checks=2)

    def stop(done: int, total: int, words: str) -> None:
        if done == 3:
            raise KeyError

    digests = []
    for name in ("whole", "stopped"):
        generator = Diffusion(config)
        generator.place(tmp_path / name)
        if name == "stopped":
            with pytest.raises(KeyError):
                generator.tune(dataset, split, progress=stop)
        generator.tune(dataset, split)
        digests.append(hashlib.sha256((tmp_path / name / "weights.safetensors").read_bytes()).hexdigest())
    assert digests[0] == digests[1]


LATENT = tiny(latent_above=31, autoencoder_channels=(16, 16), autoencoder_steps=2, steps=2, checks=2, batch=2)


def test_large_images_are_made_of_latents(site: Path, tmp_path: Path) -> None:
    dataset, split = opened(site)
    case = dataset.case(split.train[0])
    seen: list[tuple[int, int, str]] = []

    def tell(done: int, total: int, words: str) -> None:
        seen.append((done, total, words))

    def stop_at(step: int) -> Progress:
        def stop(done: int, total: int, words: str) -> None:
            if done == step:
                raise KeyError

        return stop

    made = []
    for name in ("whole", "stopped"):
        generator = Diffusion(LATENT)
        generator.place(tmp_path / name)
        if name == "stopped":
            for step in (2, 4):
                with pytest.raises(KeyError):
                    generator.tune(dataset, split, progress=stop_at(step))
                assert not generator.tuned
        generator.tune(dataset, split, progress=tell if name == "whole" else None)
        made.append(generator.sample(case, 2, seed=0))
    assert [entry[:2] for entry in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert seen[0][2].startswith("autoencoder")
    assert np.array_equal(made[0], made[1])
    assert made[0].shape == (2, *dataset.image(case).shape)
    assert made[0].std() > 0
    weights = [
        path / "weights.safetensors" for path in (tmp_path / "whole", tmp_path / "whole" / "autoencoder")
    ]
    assert all(path.exists() for path in weights)


@pytest.mark.parametrize(("preset", "low", "high"), [("cpu", 3e6, 5e6), ("gpu", 45e6, 55e6)])
def test_the_presets_have_the_parameters_that_they_promise(preset: str, low: float, high: float) -> None:
    options = DiffusionConfig(preset=preset).resolved()  # type: ignore[arg-type]
    with torch.device("meta"):
        network = MaskUNet(3, 3, 8, widths=options.channels or (), blocks=options.blocks or 0, patch=2)
    assert low < sum(parameter.numel() for parameter in network.parameters()) < high


def test_an_automatic_preset_stays_what_the_folder_was_tuned_with(tuned: Tuned) -> None:
    _, dataset, split, root = tuned
    generator = Diffusion(tiny(preset="auto"))
    generator.place(root / "made")
    assert generator.fit(dataset, split).tuned
    assert generator.config()["preset"] == "auto"


def test_short_memory_while_sampling_names_what_would_fit(
    tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, dataset, split, _ = tuned

    def sample(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(FlowModule, "sample", sample)
    with pytest.raises(GeneratorError, match=r"making 16 images at once\. Try diffusion\(made_at_once=8"):
        generator.sample(dataset.case(split.train[0]), 4, 0)
