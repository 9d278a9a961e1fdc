"""The whole path on drawn ellipses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from s2s2.errors import ConfigError, DataError
from s2s2.pipeline import Run, RunConfig, SplitConfig, load_config
from s2s2.pipeline.estimate import estimate
from s2s2.report import build_report
from s2s2.run.folder import RunFolder
from tests.drawn import draw_site


def files(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below root with its time and content."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_a_run_makes_every_table_and_the_page(finished: RunConfig) -> None:
    space = RunFolder(finished.output)
    scores = pd.read_csv(space.scores)
    assert set(scores["arm"]) == {"baseline", "s2s2"}
    assert set(scores["domain"]) == {"home", "away"}
    assert len(scores) == 2 * 2 * (4 + 8)
    assert scores["dice"].dropna().between(0, 1).all()
    comparisons = pd.read_csv(space.comparisons)
    dice = comparisons[(comparisons["metric"] == "dice") & (comparisons["domain"] == "away")]
    assert list(dice["arm"]) == ["s2s2"]
    assert dice["low"].item() <= dice["difference"].item() <= dice["high"].item()
    page = space.report.read_text()
    assert "<html" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    manifest = json.loads(space.manifest.read_text())
    assert manifest["images_seen"] == {"baseline": 16, "s2s2": 16}
    assert manifest["split"] == {"train": 10, "validation": 2, "test": 4}


def test_the_report_shows_what_the_check_found(finished: RunConfig) -> None:
    page = RunFolder(finished.output).report.read_text()
    assert page.count("check: 0 errors, ") == 2


def test_a_report_that_is_drawn_again_is_the_same(finished: RunConfig) -> None:
    page = RunFolder(finished.output).report
    before = page.read_bytes()
    assert build_report(finished.output) == page
    assert page.read_bytes() == before


def test_a_second_call_changes_nothing_that_was_learnt(finished: RunConfig) -> None:
    before = files(finished.output / "arms") | files(finished.output / "stack")
    Run(finished).execute()
    assert files(finished.output / "arms") | files(finished.output / "stack") == before


def test_a_lost_prediction_is_made_again_and_nothing_else(finished: RunConfig) -> None:
    lost = finished.output / "arms" / "s2s2" / "seed1" / "predictions" / "away" / "case_03.png"
    content = lost.read_bytes()
    weights = files(finished.output / "arms" / "s2s2" / "seed1" / "network")
    lost.unlink()
    Run(finished).execute()
    assert lost.read_bytes() == content
    assert files(finished.output / "arms" / "s2s2" / "seed1" / "network") == weights


def test_no_test_case_is_in_the_stack_or_the_training(finished: RunConfig) -> None:
    split = json.loads((finished.output / "split.json").read_text())
    stack = json.loads((finished.output / "stack" / "manifest.json").read_text())
    card = json.loads((finished.output / "arms" / "s2s2" / "seed0" / "network" / "network.json").read_text())
    test = set(split["test"])
    assert not test & set(stack["cases"])
    assert not test & set(stack["source"])
    assert not test & {case for part in ("train", "validation") for case in card["split"][part]}


def test_settings_come_back_as_they_were(finished: RunConfig) -> None:
    assert load_config(finished.output) == finished


def test_a_mistyped_generator_leaves_no_folder(quick: RunConfig, tmp_path: Path) -> None:
    run = replace(quick, output=tmp_path / "run", arms=("baseline", "s2s2@appearence"))
    with pytest.raises(ConfigError, match="Did you mean 'appearance'"):
        Run(run).execute()
    assert not run.output.exists()


def test_two_runs_do_not_mix(finished: RunConfig) -> None:
    with pytest.raises(ConfigError, match=r"holds a run with size = 32, and now it is 64.*another --output"):
        Run(replace(finished, size=64)).execute()


def test_same_seed_same_bytes(finished: RunConfig, tmp_path: Path) -> None:
    again = replace(finished, output=tmp_path / "again", seeds=1, arms=("s2s2",), target=())
    Run(again).execute()
    for name in ("stack/copies/case_00.tif", "arms/s2s2/seed0/network/weights.safetensors"):
        path = finished.output / name
        if path.exists():
            assert (again.output / name).read_bytes() == path.read_bytes(), name


def test_an_estimate_writes_nothing(quick: RunConfig, tmp_path: Path) -> None:
    table = estimate(replace(quick, output=tmp_path / "none"))
    stages = list(table.columns[0].cells)
    assert stages == [
        *("check", "split", "judges", "stack", "audit", "train", "predict", "compare", "report", "in all")
    ]
    assert not (tmp_path / "none").exists()


def test_an_estimate_counts_tunings_and_every_stack(quick: RunConfig, tmp_path: Path) -> None:
    learnt = "s2s2@diffusion(preset='cpu', resolution=16, channels=(16,), steps=2, batch=2, solver_steps=1)"
    arms = ("baseline", "s2s2", learnt)
    table = estimate(replace(quick, output=tmp_path / "none", arms=arms))
    stages = list(table.columns[0].cells)
    assert stages.count("tune") == 1
    assert stages.count("stack") == 2
    assert not (tmp_path / "none").exists()


def test_an_estimate_needs_no_second_patient_among_the_first_cases(quick: RunConfig, tmp_path: Path) -> None:
    home = draw_site(tmp_path / "home", cases=60, shape=(32, 32), frames_per_group=15)
    split = SplitConfig(fractions=(0.5, 0.25, 0.25))
    table = estimate(replace(quick, data=home, target=(), output=tmp_path / "none", split=split))
    assert "stack" in list(table.columns[0].cells)


def test_trainings_side_by_side_give_the_same(
    quick: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sums over another number of threads round otherwise: give each training one.
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    tables = []
    for jobs in (1, 2):
        run = replace(quick, output=tmp_path / f"jobs{jobs}", seeds=1, jobs=jobs, target=())
        Run(run).execute()
        tables.append(RunFolder(run.output).scores.read_bytes())
    assert tables[0] == tables[1]


def test_broken_data_stops_the_run_before_anything_is_trained(quick: RunConfig, tmp_path: Path) -> None:
    from tests.drawn import draw_site

    home = draw_site(tmp_path / "home", cases=8)
    (home / "images" / "case_01.png").write_bytes(b"not an image")
    broken = replace(quick, data=home, target=(), output=tmp_path / "run")
    with pytest.raises(DataError, match=r"case_01\.png"):
        Run(broken).execute()
    assert not (tmp_path / "run" / "arms").exists()
