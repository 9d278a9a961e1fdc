from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from s2s2.generators import Cost, Diffusion
from s2s2.generators.diffusion import stages
from tests.generators.diffusion.test_diffusion import opened, tiny


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Whatever is timed is done once, and takes one second."""
    calls: list[int] = []

    def seconds(action: Callable[[], object]) -> float:
        action()
        calls.append(1)
        return 1.0

    monkeypatch.setattr(stages, "seconds_of", seconds)
    return calls


def test_a_tuning_takes_its_images_and_a_sample_its_share(site: Path, second: list[int]) -> None:
    # Four images were timed together: a quarter of a second each.
    config = tiny(steps=10, batch=4, accumulate=3)
    assert Diffusion(config).cost(*opened(site)) == Cost(tuning_s=10 * 4 * 3 / 4, image_s=1 / 4)
    assert len(second) == 2


def test_an_autoencoder_is_counted_too(site: Path, second: list[int]) -> None:
    latent = tiny(
        preset="cpu",
        channels=(16,),
        steps=10,
        batch=4,
        resolution=32,
        latent_above=16,
        autoencoder_steps=5,
        autoencoder_channels=(16, 16),
        solver_steps=1,
    )
    took = Diffusion(latent).cost(*opened(site))
    # The autoencoder learns from a quarter of the batch.
    assert took.tuning_s == 10 * 4 / 4 + 5 * 1 / 4
    assert len(second) == 3
