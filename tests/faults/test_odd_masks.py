"""Odd and corrupt masks through check and run: read rightly, or refused by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.cli import main
from s2s2.core.types import LabelMap
from s2s2.data import Dataset
from tests.drawn import SMALL_NETWORK, draw_site
from tests.faults.odd_masks import OddMask, odd_masks
from tests.faults.table import Note, Outcome

pytestmark = pytest.mark.slow
CASE = "case_00"
RUN = ["--size", "32", "--arms", "baseline", "--seeds", "1", "--split.counts", "2", "2", "2"]
RUN += ["--train.steps", "1", "--train.images_per_step", "2", "--train.validations", "1"]
TRAINED = [
    *("of 0 and 1 among 0 and 255", "interlaced", "red in all", "palette in red, index 1"),
    *(
        "tiff of half floats",
        "png turned by tag 6",
        "jpeg",
        "jpeg of three levels in all",
        "rgba with alpha 0",
    ),
]
"""Masks that are read, and trained on; those that are refused all go through a run."""
PLACES: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a dead link": lambda path: path.symlink_to("gone.png"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a pipe": lambda path: os.mkfifo(path),
    "nothing": lambda path: None,
    "two files": lambda path: [
        shutil.copy(path.with_name("case_01.png"), path.with_suffix(s)) for s in (".png", ".tif")
    ],
}
"""What lies where a mask should be, and is no one file."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Six cases whose masks hold 0 and 255, and whose two first are of no group but their own."""
    return draw_site(tmp_path / "home", cases=6, seed=1, frames_per_group=1)


def words_of(kind: str, home: Path) -> list[str]:
    """Return the command line of a check or a tiny run."""
    if kind == "check":
        return ["check", str(home), "--json"]
    network = json.dumps({**SMALL_NETWORK, "pretrained": False})
    return ["run", "--data", str(home), "--output", str(home.parent / "run"), *RUN, "--network", network]


def put(odd: OddMask, home: Path) -> dict[str, LabelMap]:
    """Write odd masks in place of good ones; return what these held, by case."""
    whole = {path.stem: np.array(Image.open(path)) // 255 for path in sorted((home / "masks").iterdir())}
    for case_id in whole if odd.everywhere else [CASE]:
        path = home / "masks" / f"{case_id}.png"
        path.unlink()
        path.with_suffix(f".{odd.suffix}").write_bytes(odd.content(whole[case_id]))
    return whole


@pytest.mark.parametrize("name", odd_masks())
def test_an_odd_mask_is_read_or_refused(
    name: str, home: Path, note: Note, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = odd_masks()[name]
    whole = put(odd, home)
    for kind in ["check", "run"] if odd.expected is None or name in TRAINED else ["check"]:
        code = main(words_of(kind, home))
        captured = capsys.readouterr()
        said = captured.out + captured.err
        if odd.expected is None:
            assert code == 2, said
            assert CASE in said or "mask" in said.lower()
            note(f"odd masks: {kind}", Outcome.REFUSED)
            continue
        assert code == 0, said
        data = Dataset.open(home)
        for case_id, mask in whole.items():
            expected = odd.expected(mask) if odd.everywhere or case_id == CASE else mask
            read = data.original_mask(data.case(case_id))
            assert (read != expected).mean() <= odd.off
        note(f"odd masks: {kind}", Outcome.RIGHT)


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("kind", ["check", "run"])
def test_what_is_no_file_is_refused(
    name: str, kind: str, home: Path, note: Note, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "masks" / f"{CASE}.png"
    path.unlink()
    PLACES[name](path)
    assert main(words_of(kind, home)) == 2
    captured = capsys.readouterr()
    assert CASE in captured.out + captured.err
    note(f"odd masks: {kind}", Outcome.REFUSED)
