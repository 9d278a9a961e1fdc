"""What a pair costs: a step of semantic stacking against a plain step on as many images.

A step is forward, backward and AdamW on the default network with Dice and cross-entropy;
the stacking step adds the second loss, the taps and the encoder's consistency.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from monai.losses import DiceCELoss
from torch import Tensor

from benchmarks.rows import row
from s2s2.networks import NetworkConfig, build_network, taps
from s2s2.objective import SemanticStacking

PAIRS = 8
SIDE = 96
ROUNDS = 15
GOAL = 1.05


def run() -> list[dict[str, Any]]:
    """Time both steps in turns, so that whatever else the machine does meets both alike."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        figure = statistics.median(_ratios())
    finally:
        torch.set_num_threads(threads)
    name = f"s2s2 step on {PAIRS} pairs over plain step on {2 * PAIRS} images"
    return [row(name, figure, "ratio", GOAL, at_most=True)]


def _ratios() -> list[float]:
    torch.manual_seed(0)
    image, synthetic = torch.rand(2, PAIRS, 3, SIDE, SIDE)
    mask = torch.randint(2, (PAIRS, SIDE, SIDE))
    stacking = _step("s2s2", (image, synthetic, mask))
    baseline = _step("baseline", (torch.cat([image, synthetic]), None, torch.cat([mask, mask])))
    ratios = []
    for turn in range(ROUNDS + 1):
        order = (stacking, baseline) if turn % 2 else (baseline, stacking)
        seconds = {step: _seconds(step) for step in order}
        if turn:  # the first turn allocates memory and picks kernels
            ratios.append(seconds[stacking] / seconds[baseline])
    return ratios


def step_of_pairs(pairs: int, side: int) -> Callable[[], None]:
    """Return a step of semantic stacking on so many pairs of square images of this side in pixels."""
    image, synthetic = torch.rand(2, pairs, 3, side, side)
    return _step("s2s2", (image, synthetic, torch.randint(2, (pairs, side, side))))


def _step(arm: str, batch: tuple[Tensor, Tensor | None, Tensor]) -> Callable[[], None]:
    """Forward, backward and update of the default network."""
    config = NetworkConfig()
    network = build_network(config, channels=3, classes=2)
    encoder, _ = taps(config)
    weights = {"w_syn": 1.0, "alpha_enc": 0.4} if arm == "s2s2" else {"w_syn": 0.0, "alpha_enc": 0.0}
    loss = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)
    objective = SemanticStacking(
        lambda logits, mask: loss(logits, mask[:, None]), encoder=encoder, forward_pass="joint", **weights
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        objective(network, *batch).backward()
        optimiser.step()

    return step


def _seconds(step: Callable[[], None]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
