"""Only the ControlNet learns, by the loss of its base model, re-derived here."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from s2s2.errors import GeneratorError
from s2s2.generators.controlnet.base import Base
from s2s2.generators.controlnet.conditioning import draw_hint, palette
from s2s2.generators.controlnet.learning import prepare
from s2s2.generators.controlnet.module import ControlNetModule
from tests.generators.controlnet.conftest import VERSIONS, Cases, quick


def made(
    base: Base, cases: Cases, folder: Path, **options: object
) -> tuple[ControlNetModule, dict[str, torch.Tensor]]:
    """A module and a batch of two items."""
    module, items = prepare(
        quick(folder, **options),
        base,
        cases.dataset.subset(cases.split.train),
        folder,
        model="",
        dtype=torch.float32,
        report=lambda done, total, words: None,
    )
    return module, torch.utils.data.default_collate([items[2, 0], items[5, 0]])


def draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_the_loss_is_that_of_the_base_model(
    bases: dict[str, Base], cases: Cases, tmp_path: Path, version: str, dropout: float
) -> None:
    base = bases[version]
    module, batch = made(base, cases, tmp_path, prompt_dropout=dropout)
    with torch.no_grad():
        loss = module.loss(batch, draws(3)).item()

    noise = draws(3)
    first, second = (torch.randn(2, 4, 8, 8, generator=noise) for _ in range(2))
    times = torch.randint(1000, (2,), generator=noise)
    mean, logvar = batch["moments"].chunk(2, 1)
    latents = base.vae.config.scaling_factor * (mean + first * (logvar / 2).exp())
    # The schedule of Stable Diffusion: the roots of the variances rise linearly.
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    kept = torch.cumprod(1 - betas, 0)[times].reshape(2, 1, 1, 1)
    noisy = kept.sqrt() * latents + (1 - kept).sqrt() * second
    words = ["", ""] if dropout else ["An image of the colon showing foreground"] * 2
    down, middle = module.learnt(
        noisy,
        times,
        encoder_hidden_states=base.texts(words),
        controlnet_cond=draw_hint(batch["mask"], palette(cases.dataset.class_map)),
        return_dict=False,
    )
    predicted = base.unet(
        noisy,
        times,
        encoder_hidden_states=base.texts(words),
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
    ).sample
    target = second if version == "1.5" else kept.sqrt() * second - (1 - kept).sqrt() * latents
    assert loss == pytest.approx(((predicted - target) ** 2).mean().item(), rel=1e-4)


def test_only_the_controlnet_has_gradients(bases: dict[str, Base], cases: Cases, tmp_path: Path) -> None:
    base = bases["1.5"]
    module, batch = made(base, cases, tmp_path)
    assert set(module.trainable_parameters()) == set(module.parameters())
    module.loss(batch, draws(0)).backward()
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in module.parameters())
    assert all(p.grad is None for network in base.networks() for p in network.parameters())


def test_recomputing_activations_gives_the_same_gradients(
    bases: dict[str, Base], cases: Cases, tmp_path: Path
) -> None:
    base = bases["2.1"]
    gradients = []
    for checkpointing in (False, True):
        module, batch = made(base, cases, tmp_path, checkpointing=checkpointing)
        module.loss(batch, draws(0)).backward()
        gradients.append([p.grad for p in module.parameters() if p.grad is not None and p.grad.any()])
    base.unet.disable_gradient_checkpointing()
    assert len(gradients[0]) == len(gradients[1]) > 0
    assert all(torch.allclose(one, two) for one, two in zip(*gradients, strict=True))


def test_latents_from_images_give_the_loss_of_cached_ones(
    bases: dict[str, Base], cases: Cases, tmp_path: Path
) -> None:
    losses = []
    for cache in (False, True):
        module, batch = made(bases["1.5"], cases, tmp_path, cache=cache)
        assert ("moments" in batch) is cache
        with torch.no_grad():
            losses.append(module.loss(batch, draws(1)).item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_hint_that_is_not_on_the_grid_stops_the_tuning(
    bases: dict[str, Base], cases: Cases, tmp_path: Path
) -> None:
    module, batch = made(bases["1.5"], cases, tmp_path)
    batch["mask"] = batch["mask"][:, :, :24]
    with pytest.raises(GeneratorError, match="The hint has shape"):
        module.loss(batch, draws(0))
