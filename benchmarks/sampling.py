"""ControlNet sampling: the preset `fast` against the published one, on the same weights and noise.

Weights are random, so figures of speed hold and pictures mean nothing: agreement is the
correlation of the two presets' images beside that of two noises. On a GPU the networks have
the size of Stable Diffusion 2.1 (512 px, 16 images); `paper` then runs eager and `fast`
compiled, both in 16 bit. On a CPU they are small (64 px, 2 images), both run eager, and the
ratio of the two speeds is what counts. Nothing is loaded or downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from benchmarks.rows import row
from s2s2.generators.controlnet.base import Base, new_controlnet, quiet
from s2s2.generators.controlnet.sampling import PLANS, Plan, sample_latents

ROUNDS = 3
LARGE: dict[str, Any] = {
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
}
SMALL: dict[str, Any] = {
    "block_out_channels": (32, 64),
    "layers_per_block": 1,
    "cross_attention_dim": 32,
    "attention_head_dim": (2, 4),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
}


def run() -> list[dict[str, Any]]:
    """Return the speeds, their ratio and the agreement."""
    gpu = torch.cuda.is_available()
    threads = torch.get_num_threads()
    torch.set_num_threads(threads if gpu else 1)
    try:
        return _rows(gpu)
    finally:
        torch.set_num_threads(threads)


def _rows(gpu: bool) -> list[dict[str, Any]]:
    base, controlnet = random_networks(gpu)
    count, side = (16, 512) if gpu else (2, 64)
    given = _given(base, count, side)

    def sample(how: Plan, seed: int = 0) -> Tensor:
        chance = torch.Generator().manual_seed(seed)
        noise = torch.randn(count, 4, side // base.factor, side // base.factor, generator=chance)
        return base.decode(sample_latents(base, controlnet, how, noise=noise, **given)).float().cpu()

    paper, fast = PLANS["paper"], PLANS["fast"]
    published = sample(paper)
    slow = _seconds(lambda: sample(paper)) / count
    if gpu:
        base.unet, controlnet = torch.compile(base.unet), torch.compile(controlnet)
    images = sample(fast)
    quick = _seconds(lambda: sample(fast)) / count
    same = correlation(sample(replace(paper, guidance=fast.guidance, guided=fast.guided)), images)
    where = f"{torch.cuda.get_device_name()}, 512 px" if gpu else "one core, small, 64 px"
    return [
        row(f"sampling, paper ({where})", 1 / slow, "images/s", 1 / 0.93 if gpu else None),
        row(f"sampling, fast ({where})", 1 / quick, "images/s", 8 / 0.93 if gpu else None),
        row("sampling, fast / paper", slow / quick, "times faster", 8.0),
        row("fast against paper, correlation of images", correlation(published, images), "r", 0.9),
        row("the same with one guidance: what fewer steps lose", same, "r", 0.95),
        row("the same of two noises, for comparison", correlation(published, sample(paper, 1)), "r", None),
    ]


def random_networks(large: bool) -> tuple[Base, Any]:
    """Return a base model and a ControlNet that says something, of random weights."""
    from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel

    torch.manual_seed(0)
    stages = (128, 256, 512, 512) if large else (16, 32, 32)
    base = Base(
        unet=UNet2DConditionModel(**(LARGE if large else SMALL), use_linear_projection=True),
        vae=AutoencoderKL(
            block_out_channels=stages,
            down_block_types=("DownEncoderBlock2D",) * len(stages),
            up_block_types=("UpDecoderBlock2D",) * len(stages),
            layers_per_block=2 if large else 1,
            norm_num_groups=32 if large else 8,
            latent_channels=4,
        ),
        text_encoder=torch.nn.Identity(),
        tokenizer=None,
        schedule=dict(
            DDPMScheduler(
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                prediction_type="v_prediction",
                clip_sample=False,
            ).config
        ),
    )
    for network in base.networks():
        network.requires_grad_(False).eval()
    controlnet = new_controlnet(base, 0).requires_grad_(False).eval()
    for name, parameter in controlnet.named_parameters():
        if "controlnet" in name:  # these begin at zero, as if nothing had been learnt
            parameter += 0.05 * torch.randn_like(parameter)
    if large:
        base.to("cuda", torch.float16)
        with quiet():
            controlnet.to("cuda", torch.float16).to(memory_format=torch.channels_last)
    return base, controlnet


def correlation(one: Tensor, two: Tensor) -> float:
    """Return the correlation of the pixels, after the mean image of each batch is taken off."""
    rows = torch.stack([(each - each.mean(0)).flatten() for each in (one, two)])
    return float(torch.corrcoef(rows)[0, 1])


def _given(base: Base, count: int, side: int) -> dict[str, Tensor]:
    chance = torch.Generator().manual_seed(2)
    width = base.unet.config.cross_attention_dim
    return {
        "hint": (torch.rand(count, 3, side // 8, side // 8, generator=chance) > 0.5)
        .float()
        .repeat_interleave(8, 2)
        .repeat_interleave(8, 3),
        "text": torch.randn(1, 77, width, generator=chance).expand(count, -1, -1),
        "empty": torch.randn(1, 77, width, generator=chance),
    }


def _seconds(action: Callable[[], Any]) -> float:
    """Return the fastest of some runs, which had a run before them; each ends on the CPU."""
    # Of the processor where there is no GPU, so that what else runs there counts little.
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    best = float("inf")
    for _ in range(ROUNDS):
        started = clock()
        action()
        best = min(best, clock() - started)
    return best


if __name__ == "__main__":
    for row in run():
        print(*row.values())
