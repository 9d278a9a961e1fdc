"""Folder of a base model: what must lie in it, checked before anything is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s2.core.pretrained import PICKLED, TEXTS, digest_of, find_model, licence_of
from s2s2.errors import GeneratorError, listed

PARTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
"""Parts with weights, and the name that their weights begin with."""
_TEXTS = {"scheduler": ("scheduler_config.json",), "tokenizer": ("tokenizer.json", "vocab.json")}
_LATER = {
    "text_encoder_2": "Stable Diffusion XL or later",
    "transformer": "Stable Diffusion 3, Flux or later",
    "prior": "Stable Cascade or Kandinsky",
}
_FETCHED = (*TEXTS, *(f"{part}/*.safetensors" for part in PARTS))


@dataclass(frozen=True)
class Layout:
    """A folder that was found to hold a base model.

    Args:
        folder: Where it lies.
        name: As the user gave it.
        variants: For each part with weights, the variant its files are named by ("fp16") or None.
        licence: As its model card or licence file says, else "unknown".
    """

    folder: Path
    name: str
    variants: dict[str, str | None]
    licence: str

    def config(self, part: str) -> dict[str, Any]:
        """Return the configuration of a part."""
        return _read(self.folder / part / "config.json")

    def digest(self) -> str:
        """Return 16 hexadecimal digits that identify this base model.

        Of large files their length and both ends are read.
        """
        files = (
            path
            for part in (*PARTS, *_TEXTS)
            for path in (self.folder / part).iterdir()
            if path.suffix in (".json", ".txt", ".safetensors")
        )
        return digest_of({f"{path.parent.name}/{path.name}": path for path in files})


def find_base(base: str) -> Layout:
    """Return the layout of a base model, fetched from the hub if it is named by its id.

    Args:
        base: Folder, or hub id `owner/name`. What is a folder is never looked up on the hub.

    Raises:
        GeneratorError: If there is no such folder, it cannot be fetched, or it does not hold
            all parts of a Stable Diffusion of the first or second generation in safetensors.
    """
    if not base:
        raise GeneratorError(
            "controlnet needs a base model, got none. Give the folder of a Stable Diffusion 1.5 or 2.1 in "
            "the layout of diffusers, as in controlnet(base='models/sd21'), or its id on the Hugging Face "
            "hub, owner/name. Without one, use 'diffusion', which is trained from scratch."
        )
    if Path(base).expanduser().is_file():
        raise GeneratorError(
            f"The base model {base} is one file, expected a folder in the layout of diffusers. Convert it "
            "with StableDiffusionPipeline.from_single_file(..).save_pretrained(folder)."
        )
    folder = find_model(base, _FETCHED, wanted="a base model", error=GeneratorError)
    _check_kind(folder)
    variants = {part: _check_part(folder, part, stem) for part, stem in PARTS.items()}
    for part, names in _TEXTS.items():
        if not any((folder / part / name).is_file() for name in names):
            raise GeneratorError(
                f"The base model {folder} has no {part}/{names[-1]}. Copy the whole folder of the model, all "
                "parts with their configurations."
            )
    _check_latents(folder)
    return Layout(folder, base, variants, licence_of(folder))


def _check_kind(folder: Path) -> None:
    """Refuse what is no Stable Diffusion in the layout of diffusers."""
    index = folder / "model_index.json"
    if not index.is_file():
        single = sorted(path.name for path in folder.iterdir() if path.suffix in (".ckpt", ".safetensors"))
        found = f"found {listed(single)}" if single else f"found {_listed(folder)}"
        raise GeneratorError(
            f"{folder} has no model_index.json, expected a base model in the layout of diffusers; {found}. "
            "Give the folder above unet/ and vae/; a single file is converted with "
            "StableDiffusionPipeline.from_single_file(..).save_pretrained(folder)."
        )
    parts = _read(index)
    kind = parts.get("_class_name", "unknown")
    for part, generation in _LATER.items():
        if isinstance(parts.get(part), list) and parts[part][0]:
            raise GeneratorError(
                f"{folder} holds a {kind} with a {part} ({generation}), expected a Stable Diffusion 1.5 or "
                "2.1 with vae, text_encoder, tokenizer, unet and scheduler. Give one of these."
            )
    encoder = (parts.get("text_encoder") or ["", ""])[-1]
    if encoder not in ("CLIPTextModel", ""):
        raise GeneratorError(
            f"{folder} holds a {kind} whose text encoder is a {encoder}, expected a CLIPTextModel, as Stable "
            "Diffusion 1.5 and 2.1 have. Give one of these."
        )


def _check_part(folder: Path, part: str, stem: str) -> str | None:
    """Return the variant of a part's weights, or complain about what is missing."""
    place = folder / part
    if not (place / "config.json").is_file():
        raise GeneratorError(
            f"The base model {folder} has no {part}/config.json. Copy the whole folder of the model, all "
            "parts with their configurations."
        )
    for variant in (None, "fp16", "bf16"):
        middle = f".{variant}" if variant else ""
        whole = place / f"{stem}{middle}.safetensors"
        if whole.is_file():
            return variant
        index = place / f"{stem}.safetensors.index{middle}.json"
        if index.is_file():
            _check_shards(index)
            return variant
    pickled = sorted(path.name for path in place.iterdir() if path.suffix in PICKLED)
    if pickled:
        raise GeneratorError(
            f"{place} holds pickled weights only ({listed(pickled)}), expected {stem}.safetensors. A "
            "pickle can run code when it is opened, so none is. Take the model's safetensors files, or, if "
            "you trust its source, convert it with diffusers: StableDiffusionPipeline.from_pretrained(folder)"
            ".save_pretrained(new_folder)."
        )
    raise GeneratorError(
        f"{place} has no {stem}.safetensors; found {_listed(place)}. Copy the weights of this part too."
    )


def _check_shards(index: Path) -> None:
    for name in sorted(set(_read(index).get("weight_map", {}).values())):
        if not (index.parent / name).is_file():
            raise GeneratorError(f"{index.parent} has no {name}, which {index.name} names. Copy it too.")


def _check_latents(folder: Path) -> None:
    """Refuse networks that take more than an image's latents: inpainting, depth, upscaling."""
    unet, vae = _read(folder / "unet" / "config.json"), _read(folder / "vae" / "config.json")
    taken, made = unet.get("in_channels", 4), vae.get("latent_channels", 4)
    if taken != made:
        raise GeneratorError(
            f"The base model {folder} takes {taken} channels and its autoencoder makes {made}: it is made "
            "for inpainting, depth or upscaling. Give the plain text-to-image model."
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GeneratorError(
            f"{path} cannot be read as JSON ({error}). Copy it again from where the model came from."
        ) from error
    if not isinstance(content, dict):
        raise GeneratorError(
            f"{path} holds a {type(content).__name__}, expected a JSON object. Copy it again."
        )
    return content


def _listed(folder: Path) -> str:
    return listed(sorted(path.name for path in folder.iterdir())) or "nothing"
