"""Audits and tunings for the page: a real audit of drawn images, changed where a test needs it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from s2s2.audit import run_audit
from s2s2.core.records import Record
from s2s2.run.folder import RunFolder
from s2s2.stack import Stack
from s2s2.stack.store import manifest_path
from tests.audit.made import QUICK, home
from tests.report.fake import FakeRun


def audited_stack(root: Path) -> Path:
    """Build a small stack with faults, audit it, and return its folder."""
    made = home(root, size=32, cases=10, depth=4, share=0.15)
    run_audit(made.stack, made.dataset, made.split, config=QUICK, folder=made.judges)
    return made.stack.path


def changed(stack: Path, root: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Return a copy of an audit whose record was changed."""
    folder = Path(shutil.copytree(stack / "audit", root / "audit"))
    return written(folder, change)


def written(folder: Path, change: Callable[[dict[str, Any]], None] = lambda record: None) -> Path:
    """Write the record of an audit again, of the tables as they are, and return the folder."""
    record = json.loads((folder / "audit.json").read_text())
    change(record)
    content = {name: value for name, value in record.items() if name not in ("seal", "outputs")}
    Record(folder / "audit.json", record["inputs"]).finish(content, folder.glob("*.csv"))
    return folder


def mixture(stack: Path, root: Path) -> Path:
    """Return an audit of the same copies, every second of them by another generator."""

    def shared(record: dict[str, Any]) -> None:
        (part,) = record["parts"].values()
        record["parts"] = {
            "appearance": {**part, "traits": ["exact", "geometry"]},
            "diffusion": {**part, "copies": 8},
        }

    folder = changed(stack, root, shared)
    copies = pd.read_csv(folder / "copies.csv", dtype={"case": str})
    copies["part"] = np.where(copies["copy"] % 2, "appearance", "diffusion")
    copies.to_csv(folder / "copies.csv", index=False)
    written(folder)
    return folder


def learnt(fake: FakeRun, root: Path, audit: Path, tuning: Path, **audits: Path) -> RunFolder:
    """Return a copy of a run with an audit of its stack, other stacks with theirs, and a tuning."""
    folder = fake.copied(root).folder
    # Marks belong to the stack that was audited.
    unmarked = shutil.ignore_patterns("marks.json")
    stacks = folder.stacks(fake.config)
    for stack, other in {
        folder.stack: audit,
        **{stacks[name]: each for name, each in audits.items()},
    }.items():
        shutil.copytree(other, stack / "audit", ignore=unmarked)
        if manifest_path(stack).exists():
            Stack.open(stack).write_marks({})
    there = shutil.copytree(tuning, folder.generators / tuning.name)
    replace(folder.read_manifest(), tunings={tuning.name: folder.below(there)}).save(folder.manifest)
    return folder


def tuned(
    folder: Path, *, agreement: Sequence[float] | None = (0.2, 0.6, 0.59), finished: bool = True
) -> Path:
    """Write a folder as a tuning leaves it."""
    (folder / "samples").mkdir(parents=True)
    steps = [100, 200, 300]
    table = pd.DataFrame({"step": steps, "loss": [1.0, 0.5, 0.4], "agreement": agreement or [np.nan] * 3})
    table.assign(learning_rate=1e-4, images_per_second=20.0).to_csv(folder / "history.csv", index=False)
    record = {"format": 1, "finished": finished, "steps": 300, "inputs": {"data": {"train": ["a", "b"]}}}
    if agreement and finished:
        record |= {"kept_step": 300, "best_step": 200, "best_agreement": 0.6}
    (folder / "tuned.json").write_text(json.dumps(record))
    for step in (100, 300):
        grey = np.full((40, 90, 3), step // 2, np.uint8)
        Image.fromarray(grey).save(folder / "samples" / f"step-{step:06d}.jpg")
    return folder
