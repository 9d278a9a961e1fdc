"""Tiny Stable Diffusions, written in the file layout of the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

WORDS = ("an", "image", "of", "the", "showing", "polyp", "foreground", "class")


def write_base(folder: Path, version: str = "1.5", *, licence: str = "creativeml-openrail-m") -> Path:
    """Write a base model of random weights as Stable Diffusion 1.5 or 2.1 lies on the hub.

    1.5: epsilon, 1 x 1 convolutions round the attention. 2.1: v-prediction, linear layers there,
    a text encoder with gelu whose last layer is left out, heads given as a list.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel

    torch.manual_seed(0)
    second = version == "2.1"
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=[2, 4] if second else 2,
        use_linear_projection=second,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
    )
    parts = {
        "vae": vae,
        "text_encoder": _text_encoder(second),
        "tokenizer": _tokenizer(folder / "tokenizer"),
        "unet": unet,
        "scheduler": _scheduler(second),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    # As on the hub: a vocabulary and merges, not one file for both.
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    (folder / "model_index.json").write_text(json.dumps(_index(parts), indent=2))
    (folder / "README.md").write_text(f"---\nlicense: {licence}\ntags:\n- stable-diffusion\n---\n\n# Tiny\n")
    return folder


def _index(parts: dict[str, Any]) -> dict[str, Any]:
    """What `StableDiffusionPipeline.save_pretrained` writes, with the safety checker named as on the hub."""
    libraries = {name: type(part).__module__.split(".")[0] for name, part in parts.items()}
    return {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.6.0",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        **{name: [libraries[name], type(part).__name__] for name, part in parts.items()},
    }


def _text_encoder(second: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=_vocabulary_size(),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1 if second else 2,
        num_attention_heads=2,
        hidden_act="gelu" if second else "quick_gelu",
        max_position_embeddings=77,
        bos_token_id=_vocabulary_size() - 2,
        eos_token_id=_vocabulary_size() - 1,
        pad_token_id=0 if second else 1,
    )
    return CLIPTextModel(config)


def _scheduler(second: bool) -> Any:
    from diffusers import DDIMScheduler, PNDMScheduler

    common: dict[str, Any] = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000,
        "steps_offset": 1,
        "set_alpha_to_one": False,
    }
    if second:
        return DDIMScheduler(**common, clip_sample=False, prediction_type="v_prediction")
    return PNDMScheduler(**common, skip_prk_steps=True)


def _pieces() -> list[str]:
    """All letters, all letters at a word's end, then the words themselves."""
    letters = [chr(code) for code in range(33, 127)]
    grown = [word[:length] for word in WORDS for length in range(2, len(word))]
    return [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *dict.fromkeys(grown),
        *(f"{word}</w>" for word in WORDS),
        "<|startoftext|>",
        "<|endoftext|>",
    ]


def _vocabulary_size() -> int:
    return len(_pieces())


def _tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    merges = []
    for word in WORDS:
        for length in range(1, len(word)):
            end = "</w>" if length == len(word) - 1 else ""
            merges.append(f"{word[:length]} {word[length]}{end}")
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {piece: number for number, piece in enumerate(_pieces())}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(dict.fromkeys(merges)) + "\n")
    config = {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return CLIPTokenizer.from_pretrained(folder)
