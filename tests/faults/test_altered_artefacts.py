"""What a finished run holds is altered: it is made again with the same bytes, or refused by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from s2s2.core import records
from s2s2.core.records import file_identity
from s2s2.pipeline import RunConfig
from s2s2.run.settings import FILE
from tests.drawn import SMALL_NETWORK
from tests.faults.table import BAD, Note, call, judge, state

TIMED = (
    "report.html",
    "run.json",
    ".report.done.json",
    "fit.json",
    ".files.json",
    "tensorboard",
    ".lock",
    FILE,
)
"""What holds times, paths or the command line beside what was found."""

SEED = "arms/s2s2/seed0"
KINDS = {
    "stack": ["stack/manifest.json", "stack/built.json", "stack/copies/case_*.tif"],
    "judges": [f"judges/fold0/{name}" for name in ("fit.json", "history.csv", "network/weights.safetensors")],
    "audit": [f"stack/audit/{name}" for name in ("audit.json", "copies.csv", "cases.csv", "marks.json")],
    "training": [
        f"{SEED}/{name}"
        for name in ("fit.json", "history.csv", "network/network.json", "network/weights.safetensors")
    ],
    "predictions": [f"{SEED}/predictions/away/{name}" for name in ("case_*.png", "predictions.json")],
    "scores": [f"{SEED}/scores/away.csv", f"{SEED}/.away.done.json"],
    "results": ["scores.csv", "summary.csv", "comparisons.csv", ".compare.done.json"],
    "run": ["run.json", "report.html", "config.yaml", "split.json"],
    "records": [
        ".split.done.json",
        ".data.json",
        ".files.json",
        ".check-0-home.done.json",
        "check/0-home.json",
    ],
}
"""Files of a run by kind; of several that a pattern finds, the first."""


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Flip a bit in the middle, and give the file the time that it had."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def one_class(path: Path) -> None:
    """Replace a mask by another, of a single class, that can be read: as long, and of the same time."""
    before, content = path.stat(), BytesIO()
    with Image.open(path) as mask:
        Image.new(mask.mode, mask.size, int(not mask.getbbox())).save(content, "png")
    assert len(content.getvalue()) <= before.st_size
    # Nothing reads on after the end of a PNG.
    path.write_bytes(content.getvalue().ljust(before.st_size, b"\0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other(path: Path) -> None:
    """Replace the file by another of its kind: its neighbour, that of another seed or fold, or of a list."""
    for old, new in (("seed0", "seed1"), ("fold0", "fold1"), ("0-home", "1-away"), ("away", "home")):
        if (found := Path(str(path).replace(old, new))) != path and found.exists():
            break
    else:
        beside = [each for each in sorted(path.parent.glob(f"*{path.suffix}")) if each.name != path.name]
        if not beside:
            path.write_bytes(b"{}")
            return
        found = beside[0]
    shutil.copyfile(found, path)


WAYS: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "flipped": flip,
    "replaced": other,
    "emptied": empty,
    "removed": Path.unlink,
}

QUICK = [
    ("stack/copies/case_*.tif", "flipped"),
    ("split.json", "flipped"),
    ("scores.csv", "replaced"),
    (f"{SEED}/predictions/away/case_*.png", "replaced"),
]
FILES = [pattern for patterns in KINDS.values() for pattern in patterns]


def alter(run: RunConfig, place: str, said: Callable[[], str], note: Note, pattern: str, way: str) -> None:
    """Alter one file of a copy of a run, run again, and judge what became of it."""
    folder = run.output.with_name(place)  # beside the same data
    shutil.copytree(run.output, folder)
    before = state(folder, but=TIMED)
    path = sorted(folder.glob(pattern))[0]
    content = path.read_bytes()
    WAYS[way](path)
    words = ["run", "--config", run.output / FILE, "--output", folder, "--verify"]
    ended = call([*words, "--trust", SMALL_NETWORK["name"]], said)

    def right() -> bool:
        timed = path.name in TIMED
        return state(folder, but=TIMED) == before and (timed or path.read_bytes() == content)

    outcome = judge(ended, named=[path.name], right=right)
    note("altered artefacts", outcome)
    if outcome in BAD:
        after = state(folder, but=TIMED)
        names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        raise AssertionError(f"{pattern} {way}: {outcome}; {names}\n{ended.said[-3000:]}")
    shutil.rmtree(folder)


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def both() -> str:
        found = capfd.readouterr()
        return found.out + found.err

    return both


@pytest.mark.slow
@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("pattern", FILES)
def test_what_was_altered_is_made_again_or_refused(
    finished: RunConfig, tmp_path: Path, said: Callable[[], str], note: Note, pattern: str, way: str
) -> None:
    alter(finished, tmp_path.name, said, note, pattern, way)


@pytest.mark.parametrize(("pattern", "way"), QUICK)
def test_a_few_of_each_kind(
    finished: RunConfig, tmp_path: Path, said: Callable[[], str], note: Note, pattern: str, way: str
) -> None:
    alter(finished, tmp_path.name, said, note, pattern, way)


@pytest.mark.parametrize("name", ["scores.csv", f"{SEED}/history.csv", "run.json", f"{SEED}/fit.json"])
def test_no_page_is_drawn_of_what_was_altered(
    finished: RunConfig, tmp_path: Path, said: Callable[[], str], name: str
) -> None:
    folder = finished.output.with_name(tmp_path.name)
    shutil.copytree(finished.output, folder)
    words = ["report", folder, "--trust", SMALL_NETWORK["name"]]
    assert call(words, said).code == 0
    flip(folder / name)
    page = (folder / "report.html").read_bytes()
    ended = call(words, said)
    assert ended.code == 2
    assert str(folder / name) in ended.said
    assert (folder / "report.html").read_bytes() == page
    shutil.rmtree(folder)


def test_verify_finds_what_size_and_times_hide(
    finished: RunConfig, tmp_path: Path, said: Callable[[], str], caplog: pytest.LogCaptureFixture
) -> None:
    folder = finished.output.with_name(tmp_path.name)
    shutil.copytree(finished.output, folder)
    path = sorted((folder / SEED / "predictions" / "away").glob("*.png"))[0]
    before, known = path.read_bytes(), file_identity(path)
    one_class(path)
    # A disk that keeps no times of changes, or rot below the file system.
    records._seen[str(path)] = (records._state(path), known)
    words = ["run", "--config", finished.output / FILE, "--output", folder, "--trust", SMALL_NETWORK["name"]]
    assert call(words, said).code == 0
    assert path.read_bytes() != before
    caplog.clear()
    assert call([*words, "--verify"], said).code == 0
    assert caplog.messages == [
        f"s2s2: {path} holds other bytes than were written. What was derived is made again."
    ]
    assert path.read_bytes() == before
    shutil.rmtree(folder)
