from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from s2s2.core.storage import write_json
from s2s2.report.setup import data_rows, fairness
from s2s2.report.tables import every_difference, every_mean, glance
from tests.report.fake import Runs
from tests.report.tables import BETTER, OPEN, WORSE, row, written_run

ARMS = ("baseline", "duplicate", "s2s2")


def marks(run_rows: list[dict[str, object]], root: Path) -> dict[str, tuple[str, bool]]:
    run = written_run(root, run_rows, arms=ARMS, domains=("paris", "oxford"))
    (oxford,) = [each for each in glance(run) if each.domain == "oxford"]
    return {cell.arm: (cell.sign, cell.best) for cell in oxford.cells}


def test_the_best_arm_leads_over_every_other_one(tmp_path: Path) -> None:
    rows = [
        row("oxford", *OPEN, arm="duplicate"),
        row("oxford", *BETTER),
        row("oxford", *BETTER, reference="duplicate"),
    ]
    assert marks(rows, tmp_path) == {"baseline": ("", False), "duplicate": ("", False), "s2s2": ("up", True)}


def test_better_than_the_baseline_alone_is_not_the_best(tmp_path: Path) -> None:
    rows = [row("oxford", *BETTER), row("oxford", *OPEN, reference="duplicate")]
    assert marks(rows, tmp_path)["s2s2"] == ("up", False)


def test_the_baseline_can_be_the_best(tmp_path: Path) -> None:
    rows = [row("oxford", *WORSE), row("oxford", *WORSE, arm="duplicate")]
    assert marks(rows, tmp_path) == {
        "baseline": ("", True),
        "duplicate": ("down", False),
        "s2s2": ("down", False),
    }


def test_means_and_differences_are_copied_not_computed(tmp_path: Path) -> None:
    run = written_run(tmp_path, [row("oxford", *BETTER), row("oxford", 1.5, -2.0, 5.0, metric="hd95", p=0.4)])
    assert every_difference(run)[0] == (
        "oxford", "Dice", "s2s2 − baseline", "+0.050", "+0.020 to +0.080", "30 / 15", "–", "0.010"
    )  # fmt: skip
    assert every_difference(run)[1][1] == "HD95 (lower is better)"
    assert every_mean(run)[0] == (
        "paris", "mean over classes", "Dice", "baseline", "0.600", "0.550 to 0.650", "48", "0"
    )  # fmt: skip


def test_metrics_have_the_unit_of_their_scores(tmp_path: Path) -> None:
    names = ("hd95", "assd", "volume_error_ml", "nsd")
    run = written_run(tmp_path, [row("oxford", *OPEN, metric=name) for name in names])
    run = replace(run, scores=run.scores.assign(unit="mm"))
    assert [each[1] for each in every_difference(run)] == [
        "HD95 (mm, lower is better)",
        "ASSD (mm, lower is better)",
        "Volume error (ml, lower is better)",
        "Surface Dice",
    ]
    units = ["px" if case % 2 else "mm" for case in range(len(run.scores))]
    mixed = replace(run, scores=run.scores.assign(unit=units, domain="oxford"))
    assert every_difference(mixed)[0][1] == "HD95 (mm or px, lower is better)"


def test_equal_exposure_is_called_fair(run_of: Runs) -> None:
    box = fairness(run_of().results)
    assert [(each.arm, each.images, each.steps, each.time) for each in box.rows] == [
        (arm, "4800", "200", "1 min 2 s") for arm in ARMS
    ]
    assert box.rows[2].shows == "a real image and one copy of its stack, features asked to agree"
    assert box.verdict.startswith("Every arm saw the same number of images")


def test_the_easier_opponent_is_named(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of().copied(tmp_path).configure(as_published=True)
    assert "the baseline saw half as many images" in fairness(fake.results).verdict


def test_unequal_exposure_is_said(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of().copied(tmp_path)
    for seed in (0, 1):
        folder = fake.folder.training("baseline", seed)
        write_json(folder.root / "fit.json", folder.record | {"images_seen": 2400})
    assert "did not see the same number" in fairness(fake.results).verdict


def test_the_data_are_described(run_of: Runs) -> None:
    fake = run_of()
    home = data_rows(fake.results, fake.tests, {})[0]
    assert (home.domain, home.home, home.cases, home.groups) == ("home", True, "8", "4")
    assert home.shapes == "56 × 40 px, 3 channels"
    assert home.classes == "background = 0; foreground = 1 or 255"
