"""What cannot be trained is refused in one paragraph before anything is learnt or written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.arms import get_arm
from s2s2.errors import NetworkError
from s2s2.networks import NetworkConfig
from s2s2.training import TrainConfig, fit
from s2s2.training.rehearsal import rehearse
from tests.drawn import SMALL_NETWORK
from tests.training.conftest import Home

NUMBERS = {"channels": "{channels}", "classes": "{classes}"}
DEEP = {
    "spatial_dims": 2,
    "in_channels": "{channels}",
    "out_channels": "{classes}",
    "kernel_size": [3, 3, 3],
    "strides": [1, 2, 2],
    "upsample_kernel_size": [2, 2],
    "deep_supervision": True,
}


class Learning(nn.Module):
    """Returns logits in evaluation mode, and something else while it learns."""

    def __init__(self, channels: int, classes: int, form: str) -> None:
        super().__init__()
        self.body, self.form = nn.Conv2d(channels, classes, 1), form

    def forward(self, image: Tensor) -> Any:
        logits = self.body(image)
        if not self.training:
            return logits
        match self.form:
            case "list":
                return [logits, logits[..., ::2, ::2]]
            case "dict":
                return {"out": logits, "aux": logits}
            case "small":
                return logits[..., ::2, ::2]
        raise RuntimeError("no labels were given.\nIn training mode they are needed.")


class Pooled(nn.Module):
    """Normalises over the batch what it has pooled over the image."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Conv2d(channels, 4, 1)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4))
        self.head = nn.Conv2d(4, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        features = self.body(image)
        return self.head(features + self.pool(features))


class Alone(nn.Module):
    """Loses the axis of the batch where one image comes alone."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Conv2d(channels, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.body(image).squeeze(0)


def attempt(network: NetworkConfig, arm: str = "baseline", **settings: Any) -> None:
    config = TrainConfig(**{"images_per_step": 4, **settings})
    rehearse(network, config, get_arm(arm), channels=3, classes=2, side=32)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("list", r"returned list in training mode, expected one tensor.*deep supervision"),
        ("dict", r"returned dict in training mode, expected one tensor"),
        (
            "small",
            r"returned logits of shape \(2, 2, 16, 16\) .* in training mode, expected \(2, 2, 32, 32\)",
        ),
        (
            "fails",
            r"cannot be trained with images of shape \(2, 3, 32, 32\): .*: no labels were given\. Change",
        ),
    ],
)
def test_other_outputs_while_learning_are_refused(form: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        attempt(NetworkConfig(f"{__name__}.Learning", {**NUMBERS, "form": form}))


def test_deep_supervision_that_stacks_its_outputs_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"\(2, 2, 2, 32, 32\).* in training mode.*deep supervision"):
        attempt(NetworkConfig("monai.networks.nets.DynUNet", {**DEEP, "deep_supr_num": 1}))
    attempt(NetworkConfig("monai.networks.nets.DynUNet", {**DEEP, "deep_supervision": False}))


POOLED = NetworkConfig(f"{__name__}.Pooled", NUMBERS)


@pytest.mark.parametrize(
    ("arm", "settings", "cure"),
    [
        ("baseline", {"as_published": True}, "--train.images_per_step 4 or more, or"),
        ("duplicate", {"forward_pass": "separate"}, "4 or more, --train.forward_pass joint, or"),
        ("duplicate", {"forward_pass": "separate", "devices": 2, "images_per_step": 4}, "8 or more"),
        ("slaug", {}, "--train.images_per_step 4 or more, or"),
        ("slaug", {"as_published": True}, "--train.images_per_step 4 or more, or"),
    ],
)
def test_normalisation_over_a_batch_of_one_is_refused_with_the_cure(
    arm: str, settings: dict[str, Any], cure: str
) -> None:
    with pytest.raises(NetworkError, match=rf"Pooled cannot be trained .*{cure}"):
        attempt(POOLED, arm, **{"images_per_step": 2, **settings})


@pytest.mark.parametrize(
    ("arm", "settings"),
    [
        ("baseline", {"images_per_step": 2}),
        ("baseline", {"as_published": True}),
        ("duplicate", {"images_per_step": 2}),
        ("duplicate", {"forward_pass": "separate"}),
        ("slaug", {}),
        ("slaug+s2s2", {"images_per_step": 6, "alpha_enc": 0.0}),
        ("slaug+s2s2", {"as_published": True, "alpha_enc": 0.0}),
    ],
)
def test_two_images_at_once_are_enough(arm: str, settings: dict[str, Any]) -> None:
    attempt(POOLED, arm, **settings)


def test_one_case_a_step_is_not_enough_for_the_first_pass_of_slaug() -> None:
    with pytest.raises(NetworkError, match=r"--train.images_per_step 12 or more, or take"):
        attempt(POOLED, "slaug+s2s2", images_per_step=6, devices=2)


def test_a_network_that_cannot_take_one_image_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"shape \(2, 32, 32\) for images of shape \(1, 3, 32, 32\)"):
        attempt(NetworkConfig(f"{__name__}.Alone", NUMBERS))


def test_random_numbers_stay_where_they_were() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    network = NetworkConfig(**SMALL_NETWORK)
    for arm in ("baseline", "duplicate-consistency", "s2s2", "slaug", "slaug+s2s2"):
        attempt(network, arm, images_per_step=12)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_refused_training_leaves_its_folder_to_the_next(home: Home, tmp_path: Path) -> None:
    config = TrainConfig(steps=1, images_per_step=2, validations=1, as_published=True)
    with pytest.raises(NetworkError, match="batch needs two"):
        fit(home.data, None, tmp_path / "out", network=POOLED, config=config, arm="baseline")
    assert not (tmp_path / "out").exists()
    config = replace(config, as_published=False)
    fit(home.data, None, tmp_path / "out", network=POOLED, config=config, arm="baseline")
    assert json.loads((tmp_path / "out" / "fit.json").read_text())["finished"]
