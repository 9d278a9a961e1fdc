"""What a finished tuning left is altered: the run tunes again to the same bytes, or refuses by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.faults.commands import finish
from tests.faults.killed import DIFFUSION, RUN, digests
from tests.faults.table import Ended, Note, Outcome, judge
from tests.faults.test_altered_artefacts import WAYS

pytestmark = pytest.mark.slow
CLOCK = "images_per_second"
ALTERED = [
    *(("weights.safetensors", way) for way in ("cut", "flipped", "removed")),
    *(("history.csv", way) for way in ("flipped", "emptied")),
    *(("samples/*.jpg", way) for way in ("flipped", "removed")),
    *(("tuned.json", way) for way in ("cut", "flipped")),
]


def found_in(run: Path, pattern: str) -> Path:
    return sorted(run.glob(f"generators/*/{pattern}"))[0]


def curve(run: Path) -> pd.DataFrame:
    """Return the history of the tuning without its clock."""
    return pd.read_csv(found_in(run, "history.csv")).drop(columns=CLOCK)


def says(run: Path) -> dict[str, Any]:
    """Return what the record of the tuning says, without the digest of the history, which holds a clock."""
    content = json.loads(found_in(run, "tuned.json").read_text())
    return {name: value for name, value in content.items() if name not in ("seal", "outputs")}


@pytest.mark.parametrize(("pattern", "way"), ALTERED)
def test_an_altered_tuning_is_made_again_or_refused(
    whole: tuple[Path, float], tmp_path: Path, note: Note, pattern: str, way: str
) -> None:
    place = whole[0]
    run = Path(shutil.copytree(place / "whole", place / tmp_path.name))
    path = found_in(run, pattern)
    WAYS[way](path)
    code, said = finish([*RUN, "--output", run.name, "--verify"], place)

    def right() -> bool:
        same = digests(run) == digests(place / "whole") and curve(run).equals(curve(place / "whole"))
        return same and says(run) == says(place / "whole")

    outcome = judge(Ended(code, said), named=[path.name], right=right)
    note("altered tunings", outcome)
    # What a generator has seen is not known without its record: that is for the user to decide.
    assert outcome is (Outcome.REFUSED if pattern == "tuned.json" else Outcome.RIGHT), said
    shutil.rmtree(run)


@pytest.mark.parametrize("pattern", ["weights.safetensors", "history.csv", "tuned.json"])
def test_a_stack_is_not_made_by_an_altered_tuning(
    whole: tuple[Path, float], tmp_path: Path, note: Note, pattern: str
) -> None:
    place = whole[0]
    tuning = Path(shutil.copytree(found_in(place / "whole", "tuned.json").parent, tmp_path / "tuning"))
    words = ["stack", "home", "--split", "whole/split.json", "--size", "32", "--depth", "1"]
    words += ["--generator", DIFFUSION, "--tuned", str(tuning), "--output"]
    code, said = finish([*words, str(tmp_path / "before")], place)
    assert code == 0, said
    WAYS["flipped"](tuning / pattern)
    code, said = finish([*words, str(tmp_path / "after")], place)
    outcome = judge(Ended(code, said), named=[pattern], right=lambda: False)
    note("altered tunings", outcome)
    assert outcome is Outcome.REFUSED, said
    assert not list(tmp_path.glob("after/copies/*"))
