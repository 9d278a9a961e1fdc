"""Sampling is what diffusers' own pipeline does, and follows from the noise alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from s2s2.generators.controlnet.base import Base, new_controlnet, quiet
from s2s2.generators.controlnet.config import ControlNetSamplingConfig
from s2s2.generators.controlnet.sampling import PLANS, Plan, make_solver, plan, sample_latents
from tests.generators.controlnet.conftest import VERSIONS


def given(count: int = 2) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    return {
        "hint": torch.rand(count, 3, 32, 32, generator=chance),
        "noise": torch.randn(count, 4, 8, 8, generator=chance),
    }


def lively(base: Base) -> Any:
    """A ControlNet whose zero convolutions have learnt something."""
    controlnet = new_controlnet(base, 0).requires_grad_(False)
    chance = torch.Generator().manual_seed(1)
    for name, parameter in controlnet.named_parameters():
        if "controlnet" in name:
            parameter += 0.2 * torch.randn(parameter.shape, generator=chance)
    return controlnet


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "how",
    [Plan("ddim", 3, 9.0), Plan("dpm++", 4, 3.0), Plan("unipc", 3, 2.0), Plan("dpm++", 3, 1.0)],
    ids=lambda how: f"{how.solver}-{how.guidance:g}",
)
def test_it_is_what_the_pipeline_of_diffusers_gives(bases: dict[str, Base], version: str, how: Plan) -> None:
    from diffusers import StableDiffusionControlNetPipeline

    base, views = bases[version], given()
    controlnet = lively(base)
    text, empty = base.texts(["an image showing polyp"] * 2), base.texts([""])
    ours = sample_latents(base, controlnet, how, text=text, empty=empty, **views)
    with quiet():
        pipeline = StableDiffusionControlNetPipeline(
            vae=base.vae,
            text_encoder=base.text_encoder,
            tokenizer=base.tokenizer,
            unet=base.unet,
            controlnet=controlnet,
            scheduler=make_solver(base, how),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        theirs = pipeline(
            prompt_embeds=text,
            negative_prompt_embeds=empty.expand_as(text),
            image=views["hint"],
            latents=views["noise"],
            num_inference_steps=how.steps,
            guidance_scale=how.guidance,
            output_type="latent",
        ).images
    assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


def test_hint_prompt_and_noise_all_count(bases: dict[str, Base]) -> None:
    base, views, how = bases["1.5"], given(), Plan("dpm++", 2, 3.0)
    controlnet = lively(base)
    prompts = {"text": base.texts(["an image showing polyp"] * 2), "empty": base.texts([""])}
    first = sample_latents(base, controlnet, how, **prompts, **views)
    assert torch.equal(first, sample_latents(base, controlnet, how, **prompts, **views))
    for name, value in {**views, **prompts}.items():
        changed = {**views, **prompts, name: value.flip(-1)}
        assert not torch.allclose(first, sample_latents(base, controlnet, how, **changed), atol=1e-3)


def test_fast_costs_a_quarter_of_paper() -> None:
    assert PLANS["paper"] == Plan("ddim", 50, 9.0, (0.0, 1.0))
    assert PLANS["paper"].evaluations == 4 * PLANS["fast"].evaluations
    assert Plan("dpm++", 12, 1.0).evaluations == 12


def test_options_change_a_preset() -> None:
    assert plan(ControlNetSamplingConfig()) == PLANS["fast"]
    changed = plan(ControlNetSamplingConfig(preset="paper", solver="unipc", guidance=2))
    assert changed == Plan("unipc", 50, 2, (0.0, 1.0))


def test_solvers_of_few_steps_come_near_the_solution(bases: dict[str, Base]) -> None:
    base, views = bases["2.1"], given(1)
    controlnet = lively(base)
    prompts = {"text": base.texts(["an image"]), "empty": base.texts([""])}

    def error(how: Plan) -> float:
        return float(
            (sample_latents(base, controlnet, how, **prompts, **views) - exact).norm() / exact.norm()
        )

    exact = sample_latents(base, controlnet, Plan("dpm++", 40, 1.0), **prompts, **views)
    assert error(Plan("dpm++", 10, 1.0)) < error(Plan("ddim", 10, 1.0))
    assert error(Plan("dpm++", 10, 1.0)) < 0.1
