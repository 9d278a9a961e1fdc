"""Training items of a ControlNet: latents or images, masks, prompts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from s2s2.core.arrays import load_arrays, save_arrays
from s2s2.core.inputs import Inputs
from s2s2.core.progress import Count
from s2s2.core.records import file_identity
from s2s2.core.streams import stream
from s2s2.generators.controlnet.base import Base
from s2s2.generators.controlnet.conditioning import Grid, to_model

LATENTS = "latents.safetensors"
TOGETHER = 4
"""Images that are encoded at once; always as many, so that a second reading gives the same latents."""


class Items(TorchDataset[dict[str, Any]]):
    """The training cases as they are learnt.

    Args:
        grid: The cases on the model's grid.
        prompts: Which prompt belongs to each case, as a number.
        moments: From `encoded`, or None to hand out images.
        flip: Whether every other view, by chance, is the mirror image.
        seed: Of that chance.
    """

    def __init__(
        self, grid: Grid, prompts: list[int], moments: Tensor | None, *, flip: bool, seed: int
    ) -> None:
        self.grid, self.prompts, self.moments, self.flip, self.seed = grid, prompts, moments, flip, seed

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, place: tuple[int, int]) -> dict[str, Any]:
        """Return mask, prompt and latents (or the image) of a case in the turn-th pass over all."""
        number, turn = place
        case = self.grid.train[number]
        turned = self.flip and bool(stream(self.seed, "controlnet", "flip", case.id, turn).integers(2))
        mask = self.grid.mask(case)
        item: dict[str, Any] = {
            "mask": torch.from_numpy(np.ascontiguousarray(mask[:, ::-1] if turned else mask)),
            "prompt": self.prompts[number],
        }
        if self.moments is not None:
            item["moments"] = self.moments[number, int(turned)]
        else:
            image = self.grid.image(case)
            item["image"] = torch.from_numpy(np.ascontiguousarray(image[..., ::-1] if turned else image))
        return item


def encoded(base: Base, grid: Grid, folder: Path, *, model: str, flip: bool, progress: Count) -> Tensor:
    """Return the latents of all cases, encoded once and kept in the folder.

    Kept are mean and log-variance, so each step still draws latents of its own. Mirror images
    are encoded beside the real ones where they are learnt; anything else that changes an image
    would need it to be encoded again, so cached latents exclude it.

    Args:
        base: Encodes, where and as it is.
        grid: The cases.
        folder: Where latents.safetensors lies or is written.
        model: Digest of the base model.
        flip: Whether mirror images are encoded too.
        progress: Called with how many images are encoded, and of how many.

    Shape:
        - returns: (case, 1 or 2 with mirror images, 2 * latent channel, height, width).
    """
    path, inputs = folder / LATENTS, _inputs(base, grid, model, flip)
    if (kept := load_arrays(path, inputs)) is not None:
        return torch.from_numpy(kept["moments"])
    moments = torch.stack([_encode_all(base, grid, mirror, progress) for mirror in range(1 + flip)], dim=1)
    save_arrays(path, {"moments": moments.numpy()}, inputs)
    return moments.contiguous()


def _encode_all(base: Base, grid: Grid, mirror: int, progress: Count) -> Tensor:
    cases = list(grid.train)
    parts = []
    for start in range(0, len(cases), TOGETHER):
        rows = [grid.image(case) for case in cases[start : start + TOGETHER]]
        images = torch.from_numpy(np.stack(rows))
        parts.append(base.encode(to_model(images.flip(-1) if mirror else images)).cpu())
        progress(min(start + TOGETHER, len(cases)), len(cases))
    return torch.cat(parts)


def _inputs(base: Base, grid: Grid, model: str, flip: bool) -> Inputs:
    """Return all that the latents depend on."""
    return Inputs(
        {
            "model": model,
            "dtype": base.vae.dtype,
            "device": base.device.type,
            "side": grid.side,
            "size": grid.seen.size,
            "flip": flip,
            "cases": grid.train.ids,
            "images": {case.id: file_identity(case.image_path) for case in grid.train},
        }
    )
