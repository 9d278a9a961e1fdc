"""Latents are computed once, and only while they are the right ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from s2s2.generators.controlnet.base import Base
from s2s2.generators.controlnet.conditioning import Grid, to_model
from s2s2.generators.controlnet.items import LATENTS, Items, encoded
from tests.generators.controlnet.conftest import Cases


class Encoding:
    """Counts what is encoded."""

    def __init__(self, base: Base, cases: Cases, folder: Path) -> None:
        self.base, self.folder, self.calls = base, folder, 0
        self.grid = Grid.of(cases.dataset.subset(cases.split.train), 32, base.multiple)

    def __call__(self, *, model: str = "one", flip: bool = False) -> torch.Tensor:
        return encoded(self.base, self.grid, self.folder, model=model, flip=flip, progress=self._count)

    def _count(self, done: int, total: int) -> None:
        assert 0 < done <= total == 8
        self.calls += 1


def test_latents_are_encoded_once_and_anew_when_anything_differs(
    bases: dict[str, Base], cases: Cases, tmp_path: Path
) -> None:
    encode = Encoding(bases["1.5"], cases, tmp_path)
    first = encode()
    assert first.shape == (8, 1, 8, 8, 8)
    assert encode.calls == 2
    assert torch.equal(encode(), first)
    assert encode.calls == 2
    encode(model="another")
    assert encode.calls == 4
    (tmp_path / LATENTS).write_bytes(b"corrupt")
    assert torch.equal(encode(), first)
    assert encode.calls == 6


def test_what_is_kept_is_what_the_autoencoder_says(
    bases: dict[str, Base], cases: Cases, tmp_path: Path
) -> None:
    encode = Encoding(bases["1.5"], cases, tmp_path)
    moments = encode(flip=True)
    assert moments.shape == (8, 2, 8, 8, 8)
    image = torch.from_numpy(encode.grid.image(encode.grid.train[5]))[None]
    assert torch.allclose(moments[5, 0], encode.base.encode(to_model(image))[0], atol=1e-5)
    assert torch.allclose(moments[5, 1], encode.base.encode(to_model(image.flip(-1)))[0], atol=1e-5)


def test_images_and_masks_are_mirrored_together(bases: dict[str, Base], cases: Cases, tmp_path: Path) -> None:
    encode = Encoding(bases["1.5"], cases, tmp_path)
    grid, prompts = encode.grid, [1] * 8
    plain = Items(grid, prompts, None, flip=False, seed=0)
    flipped = Items(grid, prompts, None, flip=True, seed=0)
    cached = Items(grid, prompts, encode(flip=True), flip=True, seed=0)
    turned = 0
    for turn in range(8):
        item, mirrored = plain[3, turn], flipped[3, turn]
        assert torch.equal(item["image"], torch.from_numpy(grid.image(grid.train[3])))
        same = torch.equal(item["mask"], mirrored["mask"])
        turned += not same
        expected = item["image"] if same else item["image"].flip(-1)
        assert torch.equal(mirrored["image"], expected)
        assert torch.equal(cached[3, turn]["mask"], mirrored["mask"])
        moments = encode.base.encode(to_model(expected[None]))[0]
        assert torch.allclose(cached[3, turn]["moments"], moments, atol=1e-5)
    assert 0 < turned < 8
    assert np.array_equal(plain[3, 0]["mask"].numpy(), grid.mask(grid.train[3]))
