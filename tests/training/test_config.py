from __future__ import annotations

import re
from typing import Any

import pytest

from s2s2.arms import ARMS, get_arm
from s2s2.core.names import file_name
from s2s2.errors import ConfigError
from s2s2.training import TrainConfig
from s2s2.training.recipe import cases_per_step


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("steps", 0, "--train.steps must be at least 1, got 0"),
        ("images_per_step", 5, "--train.images_per_step must be even"),
        ("warmup", 1.0, r"--train.warmup is a share of the steps in \[0, 1\), got 1.0"),
        ("alpha_enc", -1.0, "--train.alpha_enc must be at least 0, got -1.0"),
        ("patch", 48, "--train.patch must be a multiple of 32, got 48"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(field: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TrainConfig(**{field: value})


def test_an_unknown_arm_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"no arm 'magic'. Choose from baseline, duplicate"):
        get_arm("magic")


def test_an_arm_may_have_a_stack_of_its_own() -> None:
    arm = get_arm("synthetic@appearance")
    assert (arm.name, arm.view, arm.consistency, arm.generator) == (
        "synthetic@appearance",
        "stack",
        False,
        "appearance",
    )


def test_a_plus_in_an_arm_is_part_of_its_name() -> None:
    arm = get_arm("slaug+s2s2@composite+appearance")
    assert (arm.generator, arm.views, arm.slaug) == ("composite+appearance", 3, True)
    assert file_name(arm.name) == arm.name
    assert {name: each.views for name, each in ARMS.items()} == {
        "baseline": 1,
        "duplicate": 2,
        "duplicate-consistency": 2,
        "augmented": 1,
        "synthetic": 2,
        "slaug": 2,
        "slaug+s2s2": 3,
        "s2s2": 2,
    }


@pytest.mark.parametrize("views", [1, 2, 3])
@pytest.mark.parametrize("images", [2, 4, 6, 8, 24, 64])
def test_the_images_of_a_step_are_shared_by_whole_cases(images: int, views: int) -> None:
    arm = get_arm({1: "baseline", 2: "slaug", 3: "slaug+s2s2"}[views])
    if images % views:
        with pytest.raises(ConfigError, match=r"--train\.images_per_step") as found:
            cases_per_step(arm, TrainConfig(images_per_step=images))
        for number in re.findall(r"such as (\d+) or (\d+)", str(found.value))[0]:
            assert cases_per_step(arm, TrainConfig(images_per_step=int(number))) * views == int(number)
    else:
        assert cases_per_step(arm, TrainConfig(images_per_step=images)) * views == images
    assert cases_per_step(arm, TrainConfig(images_per_step=images, as_published=True)) == images // 2


@pytest.mark.parametrize("name", ["baseline@appearance", "slaug@appearance", "s2s2@"])
def test_a_generator_without_a_stack_or_a_stack_without_a_generator_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"a generator after '@' goes with augmented, synthetic, slaug\+s2s2 or s2s2"
    ):
        get_arm(name)


def test_a_segmentation_loss_without_any_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--train\.dice and --train\.cross_entropy are both 0"):
        TrainConfig(dice=0, cross_entropy=0)
