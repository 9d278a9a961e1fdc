"""A base model is looked at before it is loaded, and what is wrong is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from s2s2.errors import GeneratorError
from s2s2.generators.controlnet.base import load_base
from s2s2.generators.controlnet.layout import find_base


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A base model to spoil."""
    return Path(shutil.copytree(folders["1.5"], tmp_path / "sd"))


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_both_layouts_are_found(folders: dict[str, Path]) -> None:
    layouts = [find_base(str(folder)) for folder in folders.values()]
    assert [layout.licence for layout in layouts] == ["creativeml-openrail-m"] * 2
    assert layouts[0].digest() == find_base(str(folders["1.5"])).digest() != layouts[1].digest()
    assert layouts[0].config("unet")["in_channels"] == 4


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (
            "model_index.json",
            "has no model_index.json, expected a base model in the layout of diffusers; found",
        ),
        ("unet/config.json", "has no unet/config.json"),
        ("vae/config.json", "has no vae/config.json"),
        ("text_encoder/config.json", "has no text_encoder/config.json"),
        ("tokenizer/vocab.json", "has no tokenizer/vocab.json"),
        ("scheduler/scheduler_config.json", "has no scheduler/scheduler_config.json"),
        (
            "unet/diffusion_pytorch_model.safetensors",
            "has no diffusion_pytorch_model.safetensors; found config",
        ),
        ("vae/diffusion_pytorch_model.safetensors", "has no diffusion_pytorch_model.safetensors"),
        ("text_encoder/model.safetensors", "has no model.safetensors"),
    ],
)
def test_a_missing_file_is_named(folder: Path, missing: str, words: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(GeneratorError, match=words):
        find_base(str(folder))


def test_pickled_weights_are_not_opened(folder: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(GeneratorError, match=r"pickled weights only \(diffusion_pytorch_model\.bin\)"):
        find_base(str(folder))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("text_encoder_2", "Stable Diffusion XL or later"),
        ("transformer", "Stable Diffusion 3, Flux or later"),
    ],
)
def test_a_later_generation_is_named(folder: Path, part: str, words: str) -> None:
    edit(folder / "model_index.json", **{part: ["transformers", "Some"]})
    with pytest.raises(GeneratorError, match=words):
        find_base(str(folder))


def test_another_text_encoder_is_named(folder: Path) -> None:
    edit(folder / "model_index.json", text_encoder=["transformers", "T5EncoderModel"])
    with pytest.raises(GeneratorError, match="text encoder is a T5EncoderModel, expected a CLIPTextModel"):
        find_base(str(folder))


def test_an_inpainting_model_is_refused(folder: Path) -> None:
    edit(folder / "unet" / "config.json", in_channels=9)
    with pytest.raises(GeneratorError, match="takes 9 channels and its autoencoder makes 4"):
        find_base(str(folder))


def test_a_single_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "v2-1.safetensors"
    file.write_bytes(b"")
    with pytest.raises(GeneratorError, match="is one file, expected a folder"):
        find_base(str(file))
    with pytest.raises(GeneratorError, match=r"found v2-1.safetensors"):
        find_base(str(tmp_path))


def test_nothing_and_nowhere_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match="needs a base model, got none"):
        find_base("")
    with pytest.raises(GeneratorError, match=r"There is no folder .*sd21, expected a base model"):
        find_base(str(tmp_path / "sd21"))


def test_the_hub_is_asked_for_an_id_alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    import huggingface_hub

    asked: list[str] = []

    def fetch(name: str, **_: object) -> str:
        asked.append(name)
        if name.startswith("away/"):
            raise ConnectionError("unreachable")
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    find_base(str(folder))
    with pytest.raises(GeneratorError):
        find_base("models/of/mine")
    assert asked == []
    assert find_base("someone/stable-diffusion").folder == folder
    with pytest.raises(
        GeneratorError, match=r"cannot be fetched from the Hugging Face hub \(ConnectionError\)"
    ):
        find_base("away/stable-diffusion")
    assert asked == ["someone/stable-diffusion", "away/stable-diffusion"]


def test_what_looks_like_an_id_but_is_a_folder_is_a_folder(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.chdir(folder.parent.parent)
    assert find_base(f"{folder.parent.name}/sd").folder == Path(folder.parent.name) / "sd"


@pytest.mark.parametrize(
    ("card", "licence", "expected"),
    [
        ("---\nlicense: openrail++\n---\n", None, "openrail++"),
        ("---\nlicense: other\nlicense_name: stability-nc\n---\n", None, "stability-nc"),
        ("# No front matter\nlicense: mit\n", "\n  MIT License\n\nCopyright", "MIT License"),
        (None, "Apache License\n", "Apache License"),
        (None, None, "unknown"),
    ],
)
def test_the_licence_is_shown(folder: Path, card: str | None, licence: str | None, expected: str) -> None:
    (folder / "README.md").unlink()
    if card is not None:
        (folder / "README.md").write_text(card)
    if licence is not None:
        (folder / "LICENSE").write_text(licence)
    assert find_base(str(folder)).licence == expected


def test_half_precision_files_do(folder: Path) -> None:
    for part, stem in {"unet": "diffusion_pytorch_model", "text_encoder": "model"}.items():
        (folder / part / f"{stem}.safetensors").rename(folder / part / f"{stem}.fp16.safetensors")
    layout = find_base(str(folder))
    assert layout.variants == {"unet": "fp16", "vae": None, "text_encoder": "fp16"}
    load_base(layout)


def test_a_missing_piece_of_split_weights_is_named(folder: Path) -> None:
    whole = folder / "unet" / "diffusion_pytorch_model.safetensors"
    piece = "diffusion_pytorch_model-00001-of-00001.safetensors"
    whole.rename(whole.with_name(piece))
    index = whole.with_name("diffusion_pytorch_model.safetensors.index.json")
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"conv_in.weight": piece}}))
    assert find_base(str(folder)).variants["unet"] is None
    whole.with_name(piece).unlink()
    with pytest.raises(GeneratorError, match=r"00001-of-00001.safetensors, which"):
        find_base(str(folder))


def test_a_corrupt_configuration_is_named(folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")
    with pytest.raises(GeneratorError, match=r"config.json cannot be read as JSON"):
        find_base(str(folder))
    (folder / "unet" / "config.json").write_text("[]")
    with pytest.raises(GeneratorError, match="holds a list, expected a JSON object"):
        find_base(str(folder))
