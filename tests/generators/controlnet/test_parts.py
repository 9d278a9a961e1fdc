"""Hints, prompts, ranges, the square: what the networks are shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from s2s2.data import ClassMap, Dataset
from s2s2.errors import ConfigError, GeneratorError
from s2s2.generators import ControlNetConfig
from s2s2.generators.controlnet.conditioning import (
    Grid,
    check_hint,
    draw_hint,
    from_model,
    mirrored,
    palette,
    prompt,
    to_model,
)
from s2s2.generators.controlnet.config import ControlNetSamplingConfig, ControlNetTuneConfig
from tests.drawn import draw_site

HEART = ClassMap.parse(["background=0", "left_ventricle=1", "myocardium=2", "right_ventricle=3"])


def test_a_hint_shows_each_class_in_its_colour() -> None:
    mask = torch.tensor([[[0, 1], [2, 3]]])
    hint = draw_hint(mask, palette(HEART))
    assert hint.shape == (1, 3, 2, 2)
    for row in range(2):
        for column in range(2):
            colour = HEART.colours[int(mask[0, row, column])]
            assert (hint[0, :, row, column] * 255).round().tolist() == list(colour)
    assert 0 <= hint.min() <= hint.max() <= 1


def test_a_class_without_a_colour_is_refused() -> None:
    with pytest.raises(GeneratorError, match=r"holds class 4, and the class map has 4 classes \(0 to 3\)"):
        draw_hint(torch.tensor([[[4]]]), palette(HEART))


def test_a_hint_of_another_size_or_range_is_refused() -> None:
    check_hint(torch.rand(1, 3, 32, 32), (1, 4, 8, 8), 4)
    with pytest.raises(GeneratorError, match=r"shape \(1, 3, 32, 24\), expected \(batch, 3, 32, 32\)"):
        check_hint(torch.rand(1, 3, 32, 24), (1, 4, 8, 8), 4)
    with pytest.raises(GeneratorError, match="Divide colours of 0 to 255 by 255"):
        check_hint(torch.full((1, 3, 32, 32), 255.0), (1, 4, 8, 8), 4)


def test_a_prompt_names_the_classes_present_in_their_order() -> None:
    modality = "A 2D slice of a cardiac MRI scan"
    assert (
        prompt(np.array([[3, 0], [1, 1]]), HEART, modality)
        == f"{modality} showing left ventricle, right ventricle"
    )
    assert prompt(np.zeros((2, 2), np.uint8), HEART, modality) == modality


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3]))
def test_ranges_there_and_back_are_the_same(seed: int, channels: int) -> None:
    images = torch.rand(2, channels, 5, 4, generator=torch.Generator().manual_seed(seed))
    there = to_model(images)
    assert there.shape == (2, 3, 5, 4)
    assert -1 <= there.min() <= there.max() <= 1
    assert torch.allclose(from_model(there, channels), images, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_colour_reach_the_same_ends(channels: int) -> None:
    ends = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).expand(1, channels, 1, 2)
    assert to_model(ends).unique().tolist() == [-1, 1]


def test_what_leaves_the_range_is_refused_or_clipped_and_nan_is_seen() -> None:
    with pytest.raises(GeneratorError, match=r"must lie in \[0, 1\], got 0 to 255"):
        to_model(torch.tensor([0.0, 255.0]).reshape(1, 1, 1, 2))
    with pytest.raises(GeneratorError, match="got 2 channels"):
        to_model(torch.rand(1, 2, 4, 4))
    assert from_model(torch.full((1, 3, 1, 1), 7.0), 3).max() == 1
    assert from_model(torch.full((1, 3, 1, 1), torch.nan), 1).isnan().all()


def test_a_square_is_filled_by_the_mirror_image() -> None:
    image = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    square = mirrored(image, 8)
    assert square.shape == (1, 8, 8)
    assert np.array_equal(square[:, :3, :4], image)
    assert np.array_equal(square[0, 0], [0, 1, 2, 3, 3, 2, 1, 0])
    assert np.array_equal(square[0, :, 0], [0, 4, 8, 8, 4, 0, 0, 4])


def test_a_copy_comes_back_on_the_working_grid(tmp_path: Path) -> None:
    train = Dataset.open(draw_site(tmp_path, cases=2, shape=(40, 56)), size=24)
    grid = Grid.of(train, 48, 32)
    case = train[0]
    image, mask = grid.image(case), grid.mask(case)
    assert grid.side == 64
    assert image.shape == (3, 64, 64)
    assert mask.shape == (64, 64)
    assert np.array_equal(mask[:34, :48], train.resized(48).mask(case))
    back = grid.restore(image, case)
    assert back.shape == train.image(case).shape == (3, 17, 24)
    assert np.abs(back - train.image(case)).mean() < 0.03


@pytest.mark.parametrize(
    ("kind", "option", "words"),
    [
        (ControlNetTuneConfig, {"batch": 0}, "tuning: batch must be at least 1, got 0"),
        (ControlNetTuneConfig, {"learning_rate": -1.0}, "learning_rate must be above 0"),
        (ControlNetConfig, {"prompt_dropout": 1.5}, "prompt_dropout must lie in 0 to 1"),
        (ControlNetTuneConfig, {"ema": 1.0}, r"ema is a decay a step in \[0, 1\), got 1.0"),
        (ControlNetTuneConfig, {"warmup": 1.0}, "warmup must be 0 or more and below 1"),
        (ControlNetConfig, {"resolution": 8}, "resolution must be at least 16"),
        (ControlNetSamplingConfig, {"guidance": 0.5}, "guidance must be at least 1"),
        (ControlNetSamplingConfig, {"preset": "slow"}, "preset must be one of fast, paper"),
        (ControlNetSamplingConfig, {"solver": "euler"}, r"solver must be one of dpm\+\+, unipc"),
        (ControlNetTuneConfig, {"precision": "8"}, "precision must be one of auto"),
    ],
)
def test_an_option_that_cannot_be_is_named(kind: type, option: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        kind(**option)


def test_the_defaults_are_the_published_ones() -> None:
    config = ControlNetConfig()
    tune = config.tune
    assert (tune.learning_rate, tune.batch, tune.epochs, config.resolution) == (1e-5, 16, 100, 512)
    tuning = config.tuning(490)
    assert tuning.steps == 3063  # 100 epochs of 490 images, 16 a step
    assert tuning.schedule == "constant"
