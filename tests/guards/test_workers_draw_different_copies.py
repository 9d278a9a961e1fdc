"""A random stream per (purpose, case, epoch): nothing repeats between workers, epochs or cases."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from s2s2.core.engine.sampler import StepSampler
from s2s2.data.transforms.config import PhotometricConfig
from s2s2.stack import PairedDataset, build_stack
from tests.stack.made import Echo, opened


@pytest.fixture
def pairs(site: Path, tmp_path: Path) -> PairedDataset:
    dataset, split = opened(site)
    stack = build_stack(Echo(noise=0.2), dataset, split, tmp_path / "stack", depth=8, seed=0)
    return PairedDataset(dataset.subset(split.train), stack, side=32, photometric=PhotometricConfig())


def test_workers_draw_different_copies(pairs: PairedDataset) -> None:
    sampler = StepSampler(len(pairs), len(pairs), range(8), seed=0)
    loader = DataLoader(pairs, batch_sampler=sampler, num_workers=2, multiprocessing_context="spawn")
    drawn: dict[str, list[int]] = {}
    images = set()
    for batch, alone in zip(loader, DataLoader(pairs, batch_sampler=sampler), strict=True):
        for key in ("image", "synthetic", "mask", "copy"):
            assert torch.equal(batch[key], alone[key])  # the number of workers changes nothing
        images |= {image.numpy().tobytes() for image in batch["synthetic"]}
        for case_id, number in zip(batch["case"], batch["copy"].tolist(), strict=True):
            drawn.setdefault(case_id, []).append(number)
    assert all(sorted(numbers) == list(range(8)) for numbers in drawn.values())
    assert len(images) == 8 * len(pairs)
    assert len({tuple(numbers) for numbers in drawn.values()}) > 1


def test_epochs_and_cases_draw_different_changes(pairs: PairedDataset) -> None:
    images = [pairs[0, epoch]["image"] for epoch in range(6)]
    assert all(not torch.equal(a, b) for place, a in enumerate(images) for b in images[:place])
    orders = {tuple(pairs.copy_number(case_id, epoch) for epoch in range(8)) for case_id in pairs.dataset.ids}
    assert len(orders) > 1
