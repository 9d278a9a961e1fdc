"""Pretrained models of others: folders in the layout of the Hugging Face libraries, or ids on its hub."""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from s2s2.errors import S2S2Error

TEXTS = ("*.json", "*.txt", "*.md", "LICENSE*")
"""Small files of a model: configurations, its card and its licence."""
PICKLED = (".bin", ".ckpt", ".pkl", ".pt", ".pth")
"""Endings of weights that can run code when they are opened."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_PIECE = 1 << 20


def find_model(source: str, fetched: Sequence[str], *, wanted: str, error: type[S2S2Error]) -> Path:
    """Return the folder of a model, fetched from the hub where it is named by its id.

    Args:
        source: Folder, or hub id `owner/name`. What is a folder is never looked up on the hub.
        fetched: Patterns of the files that are fetched.
        wanted: What is expected there, for the errors: "a base model".
        error: Class of the errors.

    Raises:
        S2S2Error: Of class `error`, if there is no such folder and it cannot be fetched.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if not _HUB_ID.fullmatch(source):
        raise error(
            f"There is no folder {source}, expected {wanted}. Check the path, or give the id of a model on "
            "the Hugging Face hub, written owner/name."
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as missing:
        raise error(
            f"There is no folder {source}, and fetching a model needs huggingface_hub. Install it with "
            "pip install 's2s2[networks]', or download the model and give its folder."
        ) from missing
    try:
        return Path(snapshot_download(source, allow_patterns=list(fetched)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as failed:
        raise error(
            f"There is no folder {source}, and it cannot be fetched from the Hugging Face hub "
            f"({type(failed).__name__}). Check the path or the id and the connection; or download the model "
            "where there is one, and give its folder."
        ) from failed


def licence_of(folder: Path) -> str:
    """Return the licence by the front matter of the model card, or the first line of a licence file."""
    card = folder / "README.md"
    if card.is_file():
        text = card.read_text(encoding="utf-8", errors="replace")
        front = text.split("---")[1] if text.startswith("---") and text.count("---") > 1 else ""
        named = re.search(r"^license:\s*[\"']?([\w.+-]+)", front, re.MULTILINE)
        if named:
            other = re.search(r"^license_name:\s*[\"']?([\w.+-]+)", front, re.MULTILINE)
            return other.group(1) if other else named.group(1)
    for path in sorted(folder.glob("LICEN[SC]E*")):
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        first = next((line.strip() for line in lines if line.strip()), "")
        if first:
            return first[:80]
    return "unknown"


def digest_of(files: Mapping[str, Path]) -> str:
    """Return 16 hexadecimal digits that identify files by their names and content.

    Of large files their length and both ends are read.
    """
    summary = hashlib.sha256()
    for name, path in sorted(files.items()):
        size = path.stat().st_size
        summary.update(f"{name}:{size}:".encode())
        with open(path, "rb") as file:
            summary.update(file.read(_PIECE))
            file.seek(max(0, size - _PIECE))
            summary.update(file.read(_PIECE))
    return summary.hexdigest()[:16]


def load_pretrained(kind: Any, folder: Path, *, error: type[S2S2Error], **options: Any) -> Any:
    """Load a network of diffusers or transformers in single precision; refuse one that does not fit whole.

    Args:
        kind: Its class, which has `from_pretrained`.
        folder: Configuration and weights, which must be safetensors.
        error: Class of the errors.
        options: For `from_pretrained`.

    Raises:
        S2S2Error: Of class `error`, if a file cannot be read, or tensors are missing or of another shape.
    """
    try:
        network, info = kind.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True, **options
        )
    except Exception as failed:  # the libraries raise errors of any class
        raise error(
            f"The weights in {folder} cannot be loaded ({type(failed).__name__}: {first_line(failed)}). Copy "
            "them again from where the model came from."
        ) from failed
    lacking = sorted(name for name in info["missing_keys"] if not name.endswith("position_ids"))
    if lacking or info.get("mismatched_keys"):
        raise error(
            f"The weights in {folder} lack {len(lacking)} tensors that its configuration asks for, such as "
            f"{(lacking or ['one of another shape'])[0]}. Copy weights and configuration from one model."
        )
    return network.float()


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, at most 200 characters of it."""
    return (str(error).strip().split("\n") or [""])[0][:200]


@contextmanager
def silenced(*libraries: Any) -> Iterator[None]:
    """Keep the remarks and progress bars of diffusers or transformers out of the user's terminal."""
    logs = [library.utils.logging for library in libraries]
    before = [(each.get_verbosity(), each.is_progress_bar_enabled()) for each in logs]
    for each in logs:
        each.set_verbosity(logging.CRITICAL)
        each.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="diffusers|transformers")
            yield
    finally:
        for each, (level, shown) in zip(logs, before, strict=True):
            each.set_verbosity(level)
            if shown:
                each.enable_progress_bar()
