"""Base model of a ControlNet: Stable Diffusion, loaded from safetensors and never changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s2s2.core.pretrained import first_line, load_pretrained, silenced
from s2s2.core.streams import stream
from s2s2.errors import GeneratorError
from s2s2.generators.controlnet.layout import Layout

NETWORK = "controlnet"
"""Folder of the tuned ControlNet, within that of the tuning."""
WEIGHTS = "diffusion_pytorch_model.safetensors"
_HINT_WIDTHS = (16, 32, 96, 256, 256, 256)
"""Channels of the stages that bring a hint to the latents' grid; each but the first halves it."""


@dataclass
class Base:
    """The parts of a base model.

    Args:
        unet: Predicts the noise (or the velocity) of latents.
        vae: Takes images to latents and back.
        text_encoder: Takes tokens to what the UNet attends to.
        tokenizer: Takes prompts to tokens.
        schedule: Configuration of its noise schedule.
    """

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    schedule: dict[str, Any]
    _texts: dict[str, Tensor] = field(default_factory=dict)

    @property
    def factor(self) -> int:
        """Pixels a latent, along each side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def multiple(self) -> int:
        """What the side of an image must be a multiple of, in pixels."""
        return side_multiple(self.unet.config, self.vae.config)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return torch.device(self.unet.device)

    @property
    def dtype(self) -> torch.dtype:
        """What the networks compute with."""
        return self.unet.dtype  # type: ignore[no-any-return]

    @property
    def memory_format(self) -> torch.memory_format:
        """How weights lie: a GPU's convolutions like the channels last."""
        return torch.channels_last if self.device.type == "cuda" else torch.preserve_format

    def networks(self) -> tuple[Any, ...]:
        """Return what has weights."""
        return self.unet, self.vae, self.text_encoder

    def to(self, device: torch.device | str, dtype: torch.dtype) -> None:
        """Move the networks; an autoencoder that asks for it computes with 32 bits."""
        upcast = getattr(self.vae.config, "force_upcast", False) and dtype == torch.float16
        kinds = (dtype, torch.float32 if upcast else dtype, dtype)
        with quiet():
            for network, kind in zip(self.networks(), kinds, strict=True):
                network.to(device, kind)
                network.to(memory_format=self.memory_format)

    @torch.no_grad()
    def texts(self, prompts: Sequence[str]) -> Tensor:
        """Return what the UNet attends to; each prompt is encoded once.

        Shape:
            - returns: (prompt, token, width).
        """
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._texts]
        for prompt in new:
            tokens = self.tokenizer(
                prompt,
                padding="max_length",
                max_length=self.tokenizer.model_max_length,
                truncation=True,
                return_tensors="pt",
            ).input_ids
            encoded = self.text_encoder(tokens.to(self.text_encoder.device))[0]
            # On the CPU: there are few, and they outlive a move of the networks.
            self._texts[prompt] = encoded[0].float().cpu()
        return torch.stack([self._texts[prompt] for prompt in prompts])

    @torch.no_grad()
    def encode(self, images: Tensor) -> Tensor:
        """Return mean and log-variance of the latents of images in [-1, 1].

        Shape:
            - images: (batch, 3, height, width).
            - returns: (batch, 2 * latent channel, height / factor, width / factor).
        """
        posterior = self.vae.encode(images.to(self.vae.device, self.vae.dtype)).latent_dist
        moments: Tensor = posterior.parameters.float()
        return moments

    def draw_latents(self, moments: Tensor, noise: Tensor) -> Tensor:
        """Return latents drawn from what `encode` gave, scaled as the UNet knows them."""
        mean, logvar = moments.chunk(2, dim=1)
        latents = mean + noise * torch.exp(0.5 * logvar.clamp(-30, 20))
        return latents * float(self.vae.config.scaling_factor)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Return the images of latents, about [-1, 1]; one at a time, as each needs much memory."""
        scaled = latents / float(self.vae.config.scaling_factor)
        scaled = scaled.to(self.vae.device, self.vae.dtype)
        rows = (scaled[row : row + 1] for row in range(len(scaled)))
        return torch.cat([self.vae.decode(row, return_dict=False)[0] for row in rows])


def own_device() -> torch.device:
    """Return the GPU of this process, by its number on the node under torchrun and SLURM; else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    number = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
    return torch.device("cuda", int(number) % torch.cuda.device_count())


def side_multiple(unet: Any, vae: Any) -> int:
    """Return what an image's side must be a multiple of for these configurations, in pixels."""
    return int(2 ** (len(vae["block_out_channels"]) - 1 + len(unet["block_out_channels"]) - 1))


def load_base(layout: Layout) -> Base:
    """Load the parts of a base model, on the CPU, in 32 bits, ready to be used and not to learn.

    Raises:
        GeneratorError: If a part's weights are corrupt or not its configuration's, or the libraries
            are not installed.
    """
    diffusers, transformers = libraries()
    with quiet():
        base = Base(
            unet=_network(diffusers.UNet2DConditionModel, layout, "unet"),
            vae=_network(diffusers.AutoencoderKL, layout, "vae"),
            text_encoder=_network(transformers.CLIPTextModel, layout, "text_encoder"),
            tokenizer=_part(transformers.CLIPTokenizer, layout, "tokenizer"),
            schedule=dict(_part(diffusers.DDPMScheduler, layout, "scheduler").config),
        )
    if base.schedule["prediction_type"] not in ("epsilon", "v_prediction"):
        raise GeneratorError(
            f"The scheduler of {layout.folder} predicts {base.schedule['prediction_type']!r}, expected "
            "epsilon or v_prediction. Give a Stable Diffusion 1.5 or 2.1."
        )
    for network in base.networks():
        network.requires_grad_(False).eval()
    return base


def new_controlnet(base: Base, seed: int) -> Any:
    """Return a ControlNet that begins as a copy of the UNet's encoder with zero convolutions.

    Only the layers that take in the hint begin at random; they follow from the seed.
    """
    diffusers, _ = libraries()
    halvings = len(base.vae.config.block_out_channels) - 1
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, "controlnet", "weights").integers(2**63)))
        return diffusers.ControlNetModel.from_unet(
            base.unet, conditioning_embedding_out_channels=_HINT_WIDTHS[: halvings + 1]
        )


def load_controlnet(folder: Path) -> Any:
    """Load a ControlNet that was saved in a folder.

    Raises:
        GeneratorError: If it is not whole.
    """
    diffusers, _ = libraries()
    with quiet():
        network = load_pretrained(diffusers.ControlNetModel, folder, error=GeneratorError)
        return network.requires_grad_(False).eval()


def libraries() -> tuple[Any, Any]:
    """Return diffusers and transformers.

    Raises:
        GeneratorError: If they are not installed.
    """
    try:
        import diffusers
        import transformers
    except ImportError as error:
        raise GeneratorError(
            f"controlnet needs diffusers and transformers ({error}). Install them with "
            "pip install 's2s2[controlnet]', or use 'diffusion', which needs neither."
        ) from error
    return diffusers, transformers


def _network(kind: Any, layout: Layout, part: str) -> Any:
    return load_pretrained(kind, layout.folder / part, error=GeneratorError, variant=layout.variants[part])


def _part(kind: Any, layout: Layout, part: str) -> Any:
    try:
        return kind.from_pretrained(layout.folder / part, local_files_only=True)
    except Exception as error:
        raise GeneratorError(
            f"{layout.folder / part} cannot be read ({type(error).__name__}: {first_line(error)}). Copy it "
            "again from where the model came from."
        ) from error


def quiet() -> AbstractContextManager[None]:
    """Keep the libraries' remarks and progress bars out of the user's terminal."""
    return silenced(*libraries())
