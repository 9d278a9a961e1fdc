r"""Rectified flow: noise goes to an image on a straight line, a network learns its direction.

An image $x$ and noise $\epsilon$ are joined by $x_t = (1 - t) x + t \epsilon$ with $t$ in
[0, 1]. The network learns $v(x_t, t) = \epsilon - x$, the direction of that line, by the
mean squared error; a sample follows $dx = v\,dt$ from noise at $t = 1$ to $t = 0$.

Reference:
    Lipman et al., *Flow matching for generative modeling*, ICLR 2023; Liu, Gong and Liu,
    *Flow straight and fast*, ICLR 2023; times: Esser et al., *Scaling rectified flow
    transformers for high-resolution image synthesis*, ICML 2024.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from s2s2.generators.diffusion.config import Solver

Velocity = Callable[[Tensor, float], Tensor]
"""Takes images and the time that they are at, returns their direction."""

UNIFORM = 0.2
"""Share of the times that is drawn evenly, so that the ends, where noise becomes the image's
brightness and where its grain is settled, are not forgotten."""


def draw_times(count: int, noise: torch.Generator) -> Tensor:
    """Draw times: logit-normal ones, which favour the middle, and some uniform ones.

    Shape:
        - returns: (count,), in (0, 1).

    Example:
        >>> times = draw_times(1000, torch.Generator().manual_seed(0))
        >>> bool(((times > 0) & (times < 1)).all()), round(times.mean().item(), 1)
        (True, 0.5)
    """
    middle = torch.randn(count, generator=noise).sigmoid()
    anywhere = torch.rand(count, generator=noise).clamp(1e-4, 1 - 1e-4)
    return torch.where(torch.rand(count, generator=noise) < UNIFORM, anywhere, middle)


def mix(image: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """Return the points of the lines from images to noise at these times.

    Shape:
        - image, noise: (batch, ...).
        - times: (batch,).
    """
    times = times.view(-1, *[1] * (image.ndim - 1))
    return (1 - times) * image + times * noise


def solve(velocity: Velocity, noise: Tensor, *, steps: int, solver: Solver) -> Tensor:
    r"""Follow the flow from noise to an image in equal steps.

    `euler` goes straight on; `heun` takes the mean of the directions at both ends of a
    step; `adams` (Adams and Bashforth, two steps) continues the change of direction,
    $x \leftarrow x - h (\tfrac32 v_n - \tfrac12 v_{n-1})$, at the cost of Euler's.

    Args:
        velocity: Of the flow.
        noise: Where to start, at time 1.
        steps: How many.
        solver: Which of the three.

    Example:
        A field that is linear in x, as when all images are 0.

        >>> start = torch.ones(1, dtype=torch.float64)
        >>> solvers = ("euler", "heun", "adams")
        >>> ends = [solve(lambda x, t: -x, start, steps=20, solver=each).item() for each in solvers]
        >>> [f"{end - 2.718282:.3f}" for end in ends]
        ['-0.065', '-0.001', '-0.006']
    """
    times = [1 - step / steps for step in range(steps + 1)]
    x, before = noise, None
    for now, then in itertools.pairwise(times):
        stride = then - now
        direction = velocity(x, now)
        used = direction
        if solver == "heun":
            used = (direction + velocity(x + stride * direction, then)) / 2
        elif solver == "adams" and before is not None:
            used = 1.5 * direction - 0.5 * before
        x, before = x + stride * used, direction
    return x
