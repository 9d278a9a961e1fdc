"""Several networks and flips predict together: their mean, against a loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from s2s2.data import ClassMap
from s2s2.errors import NetworkError
from s2s2.networks import NetworkCard, NetworkConfig, Normalisation, build_network, save_network
from s2s2.networks.adaptation import adapt_batch_norm
from s2s2.networks.ensemble import Ensemble, flips_of, load_ensemble, members

CONFIG = NetworkConfig(pretrained=False)
CPU = torch.device("cpu")
BOTH = {"geometry": {"flip_horizontal": 0.5, "flip_vertical": 0.5}}


def card(seed: int = 0, **changed: object) -> NetworkCard:
    made = NetworkCard(
        network=CONFIG,
        channels=3,
        size=64,
        patch=None,
        class_map=ClassMap(("background", "polyp"), ((0,), (255,))),
        normalisation=Normalisation((0.4, 0.5, 0.6), (0.2, 0.3, 0.4)),
        split={"train": ("a",), "validation": ("b",)},
        arm="s2s2",
        seed=seed,
        training=BOTH,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def saved(folder: Path, seed: int = 0, **changed: object) -> nn.Module:
    torch.manual_seed(seed)
    network = build_network(CONFIG, channels=3, classes=2, size=64).eval()
    save_network(folder, network, card(seed, **changed))
    return network


@pytest.fixture
def arm(tmp_path: Path) -> tuple[Path, list[nn.Module]]:
    return tmp_path, [saved(tmp_path / f"seed{seed}" / "network", seed) for seed in range(3)]


def test_the_posterior_is_the_mean_over_networks_and_flips(arm: tuple[Path, list[nn.Module]]) -> None:
    images = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        found = load_ensemble(arm[0], CPU).posteriors(images)
        expected = torch.zeros(2, 2, 64, 96)
        shown = card().normalisation(images)
        for network in arm[1]:
            for axes in ([], [-1], [-2], [-1, -2]):
                turned = shown
                for axis in axes:
                    turned = torch.flip(turned, [axis])
                posterior = torch.softmax(network(turned), 1)
                for axis in axes:
                    posterior = torch.flip(posterior, [axis])
                expected += posterior / 12
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.sum(1), torch.ones(2, 64, 96))


def test_without_flips_one_network_is_itself(tmp_path: Path) -> None:
    network, images = saved(tmp_path), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        found = load_ensemble(tmp_path, CPU, flips=False).posteriors(images)
        expected = network(card().normalisation(images)).softmax(1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, 4),
        ({"training": {"geometry": {"flip_horizontal": 0.5, "flip_vertical": 0.0}}}, 2),
        ({"training": {}}, 1),
        ({"class_map": ClassMap(("background", "left_kidney"), ((0,), (1,)))}, 1),
        ({"class_map": ClassMap(("background", "Right ventricle"), ((0,), (1,)))}, 1),
        ({"class_map": ClassMap(("background", "cleft"), ((0,), (1,)))}, 4),
    ],
)
def test_flips_are_those_of_the_training_where_no_class_has_a_side(
    changed: dict[str, object], expected: int
) -> None:
    assert len(flips_of(card(**changed))) == expected


def test_the_folder_of_an_arm_holds_one_network_a_seed(arm: tuple[Path, list[nn.Module]]) -> None:
    assert [path.parent.name for path in members(arm[0])] == ["seed0", "seed1", "seed2"]
    one = arm[0] / "seed1"
    assert members(one) == members(one / "network") == (one / "network",)


def test_a_folder_without_a_network_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"There is no network in .*expected network.json in it, or seed0"):
        load_ensemble(tmp_path, CPU)


def test_networks_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "seed0" / "network")
    saved(tmp_path / "seed1" / "network", size=96)
    with pytest.raises(NetworkError, match=r"cannot predict together: size of .*seed1"):
        load_ensemble(tmp_path, CPU)


def test_networks_are_adapted_before_they_are_folded(arm: tuple[Path, list[nn.Module]]) -> None:
    batches = [torch.rand(3, 3, 64, 64), torch.rand(2, 3, 64, 64)]
    before = {path: path.read_bytes() for path in arm[0].rglob("*.*")}
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        plain = load_ensemble(arm[0], CPU, flips=False).posteriors(images)
        ensemble = load_ensemble(arm[0], CPU, flips=False, adapted_to=batches)
        found, expected = ensemble.posteriors(images), torch.zeros(1, 2, 64, 64)
        for network in arm[1]:
            adapt_batch_norm(network, map(card().normalisation, batches), None)
            expected += network(card().normalisation(images)).softmax(1) / 3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, plain, atol=1e-3)
    assert not any(
        isinstance(layer, nn.BatchNorm2d) for each in ensemble.networks for layer in each.modules()
    )
    assert {path: path.read_bytes() for path in arm[0].rglob("*.*")} == before


class Constant(nn.Module):
    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, images: Tensor) -> Tensor:
        return self.logits.expand(len(images), *self.logits.shape[1:])


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (torch.zeros(1, 2, 32, 32), "gave logits of shape"),
        (torch.full((1, 2, 64, 64), torch.nan), "gave logits that are not finite"),
    ],
)
def test_logits_that_are_none_are_refused(logits: Tensor, message: str) -> None:
    ensemble = Ensemble((Constant(logits),), (card(),), ((),))
    with pytest.raises(NetworkError, match=message):
        ensemble.posteriors(torch.rand(1, 3, 64, 64))
