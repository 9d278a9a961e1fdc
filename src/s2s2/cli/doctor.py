"""`s2s2 doctor`: whether this machine is ready."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from s2s2.cli.command import Command

Finding = tuple[str, str, str]
"""State (ok, note or fault), what was found, what to do."""

EXTRAS = {
    "diffusers": "the generator controlnet: pip install 's2s2[controlnet]'",
    "pydicom": "volumes in DICOM, NRRD, MetaImage and HDF5: pip install 's2s2[volumes]'",
    "transformers": "the networks of `s2s2 networks`: pip install 's2s2[networks]'",
}


@dataclass(frozen=True, kw_only=True)
class Options(Command):
    """Check this machine: packages, device, memory and disk, and say what to fix."""


def main(options: Options) -> int:
    """Say what this machine has and what it lacks."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    findings = [_encoder(), _device(), _memory(), _disk(), *_extras()]
    table = Table("", "found", "what to do")
    colours = {"ok": "green", "note": "yellow", "fault": "red"}
    for state, found, advice in findings:
        # The brackets of an extra are no markup.
        table.add_row(f"[{colours[state]}]{state}[/]", escape(found), escape(advice))
    Console().print(table)
    return 2 if any(state == "fault" for state, _, _ in findings) else 0


def _encoder() -> Finding:
    from s2s2.networks import EfficientNetUNet

    try:
        EfficientNetUNet(3, 2)
    except Exception as error:
        return "fault", f"the default network cannot be built: {error}", "reinstall s2s2"
    return "ok", "default network with ImageNet weights", ""


def _device() -> Finding:
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        name = torch.cuda.get_device_name()
        return "ok", f"{name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free", ""
    cores = os.cpu_count() or 1
    return "note", f"no GPU; {cores} CPU cores", "keep --size near 128 and --train.steps near 500"


def _memory() -> Finding:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError, AttributeError):
        return "note", "memory unknown on this system", ""
    if total < 4:
        return "note", f"{total:.1f} GiB of memory", "run with --jobs 1"
    return "ok", f"{total:.1f} GiB of memory", ""


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    if free < 2:
        return "fault", f"{free:.1f} GiB free on the disk of this folder", "free some space"
    return "ok", f"{free:.1f} GiB free on the disk of this folder", ""


def _extras() -> list[Finding]:
    return [
        ("ok", name, "") if find_spec(name) else ("note", f"{name} is not installed", advice)
        for name, advice in EXTRAS.items()
    ]
