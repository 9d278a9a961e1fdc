"""Kills while volumes are cut and predicted: the same command again ends in the same slices and bytes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.data.volumes.bad_files import cut_off
from tests.drawn_volumes import AFFINE, disc, draw_volumes, save
from tests.faults.commands import finish
from tests.faults.killed import NETWORK, Inside, digests, killed_inside
from tests.faults.table import Note, Outcome, state

pytestmark = pytest.mark.slow
SEED = "arms/baseline/seed0"
RUN = [
    *("run", "--data", "home", "--target", "away", "--size", "32", "--arms", "baseline", "--seeds", "1"),
    *("--train.steps", "4", "--train.images_per_step", "4", "--train.validations", "1", "--jobs", "1"),
    *("--stack.generator", "randconv", "--audited", "false", "--flips", "false", *NETWORK[:2]),
]
SCANS, SHAPE = 4, (160, 160, 60)
"""Scans that take long enough to be killed in."""
TRIES = 4


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home, away and scans; in whole a run that nobody stopped, in scans-whole its predictions."""
    place = tmp_path_factory.mktemp("killed-volumes")
    draw_volumes(place / "home")
    draw_volumes(place / "away", 2, seed=20, invert=True)
    for number in range(SCANS):
        save(place / "scans" / f"scan{number}.nii.gz", disc(number, SHAPE)[0], AFFINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("S2S2_CACHE", str(place / "cache-whole"))
        for words in ([*RUN, "--output", "whole"], [*predict(), "--output", "scans-whole"]):
            code, said = finish(words, place)
            assert code == 0, said
    return place


def predict() -> list[str]:
    return ["predict", f"whole/{SEED}/network", "scans"]


def records(cache: Path) -> list[Path]:
    """Return what says that a volume was cut, relative to the cache, the first one first."""
    found = sorted(cache.rglob("volume.json"), key=lambda path: path.stat().st_mtime_ns)
    return [path.relative_to(cache) for path in found]


def slices(cache: Path) -> dict[str, bytes]:
    """Return all files of a cache but what a killed process had not given a name yet."""
    return {name: content for name, content in state(cache).items() if ".part." not in name}


@pytest.mark.parametrize("stage", ["cut", "predict"])
def test_a_prediction_killed_at_work_ends_in_the_same_bytes(
    place: Path, stage: str, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, output, cache = random.Random(0), f"scans-{stage}", place / f"cache-{stage}"
    monkeypatch.setenv("S2S2_CACHE", str(cache))
    mine = records(place / "cache-whole")[-SCANS:]
    inside = {
        "cut": Inside(str(cache / mine[0].parent / "0009.png"), str(cache / mine[-1]), 0.15),
        "predict": Inside("predict: 25 %", " skipped: ", 0.2),
    }[stage]
    kills = 0
    for _ in range(TRIES):
        if killed_inside(predict(), place, output, inside, rng):
            kills += 1
            done = records(cache)
            assert (len(done) < SCANS) if stage == "cut" else (len(done) == SCANS)
        else:
            shutil.rmtree(place / output, ignore_errors=True)
            shutil.rmtree(cache)
        if kills == 2:
            break
    assert kills
    code, said = finish([*predict(), "--output", output], place)
    assert code == 0, said
    assert digests(place / output) == digests(place / "scans-whole")
    whole = slices(place / "cache-whole")
    found = slices(cache)
    assert len(found) == SCANS * (SHAPE[2] + 1)
    assert found == {name: whole[name] for name in found}
    for _ in range(kills):
        note(f"kills in volumes: {stage}", Outcome.RIGHT)


def test_a_run_killed_at_work_ends_in_the_same_bytes_and_refuses_what_is_cut_off_since(
    place: Path, note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, cache, kills = random.Random(0), place / "cache-run", 0
    monkeypatch.setenv("S2S2_CACHE", str(cache))
    first = records(place / "cache-whole")[0]
    for stage in (
        Inside(str(cache / first.parent / "0000.png"), "split  ", 0.02),
        Inside(f"{SEED}/predictions/home/", f"{SEED}/predictions/away/predictions.json", 0.05),
    ):
        kills += killed_inside(RUN, place, "run", stage, rng)
    assert kills
    code, said = finish([*RUN, "--output", "run"], place)
    assert code == 0, said
    expected = digests(place / "whole")
    assert [name for name in expected if name.endswith(".nii.gz")]
    assert digests(place / "run") == expected
    for _ in range(kills):
        note("kills in volumes: run", Outcome.RIGHT)
    cut_off(place / "home" / "images" / "patient3.nii.gz")
    code, said = finish([*RUN, "--output", "run"], place)
    assert code == 2, said
    assert "patient3.nii.gz cannot be read as a volume" in said
    assert digests(place / "run") == expected
    note("odd volumes: run", Outcome.REFUSED)
