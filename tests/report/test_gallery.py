from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from s2s2.report.gallery import examples, stack_rows
from tests.report.fake import FakeRun, Runs

BENT = {"baseline": 0.1, "s2s2": 0.6}
PERFECT = {"baseline": 0.1, "s2s2": 1.0}


def shown(fake: FakeRun, domain: str = "away") -> tuple[list[str], list[str], list[str], list[str]]:
    found = examples(fake.results, fake.tests[domain], domain)
    return (
        [each.case for each in found.by_gain],
        [each.why for each in found.by_gain],
        [each.case for each in found.by_score],
        [each.why for each in found.by_score],
    )


def first_seed(fake: FakeRun, domain: str) -> pd.DataFrame:
    scores = pd.read_csv(fake.folder.scores)
    rows = scores[(scores["seed"] == 0) & (scores["domain"] == domain)]
    return rows.pivot(index="case", columns="arm", values="dice")


def test_cases_are_chosen_by_rule(run_of: Runs) -> None:
    fake = run_of(gains=BENT)
    dice = first_seed(fake, "away")
    gains = dice["s2s2"] - dice["baseline"]
    by_gain, why, by_score, own = shown(fake)
    assert gains[by_gain[0]] == gains.max()
    assert gains[by_gain[2]] == gains.min()
    assert (gains > gains[by_gain[1]]).sum() == (len(gains) - 1) // 2
    assert dice["s2s2"][by_score[0]] == dice["s2s2"].max()
    assert dice["s2s2"][by_score[2]] == dice["s2s2"].min()
    assert why[0].startswith("Largest gain (+")
    assert own == ["Best Dice of s2s2", "Median Dice of s2s2", "Worst Dice of s2s2"]


def test_what_only_won_has_no_largest_loss(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of(seeds=1).copied(tmp_path)
    scores = pd.read_csv(fake.folder.scores)
    scores.loc[scores["arm"] == "baseline", "dice"] = 0.1
    scores.loc[scores["arm"] == "s2s2", "dice"] = 0.9
    scores.to_csv(fake.folder.scores, index=False)
    assert shown(fake)[1][2] == "Smallest gain (+0.800)"


def test_predictions_are_paired_by_case_id_and_the_missing_are_left_out(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of().copied(tmp_path)
    folder = fake.folder.training("s2s2", 0).predictions("away").root
    for path in sorted(folder.glob("*.png"))[2:]:
        path.unlink()
    by_gain, _, by_score, _ = shown(fake)
    assert set(by_gain) | set(by_score) == {"case_00", "case_01"}


def test_without_predictions_nothing_is_shown(run_of: Runs) -> None:
    fake = run_of()
    found = examples(fake.results, fake.tests["away"].subset([]), "away")
    assert (found.by_gain, found.by_score) == ((), ())


def test_panels_carry_outlines_dice_and_alternative_text(run_of: Runs) -> None:
    fake = run_of(gains=PERFECT)
    baseline, s2s2 = examples(fake.results, fake.tests["away"], "away").by_gain[0].panels
    assert baseline.uri == s2s2.uri
    assert s2s2.truth == s2s2.prediction
    assert baseline.truth != baseline.prediction
    assert s2s2.score == "1.00"
    assert "borders of the mask and of the prediction of s2s2" in s2s2.alt


def test_a_stack_row_shows_image_mask_and_copies(run_of: Runs) -> None:
    fake = run_of()
    rows = stack_rows(fake.train, fake.stack, cases=3, copies=5)
    assert len(rows) == 3
    assert [panel.label for panel in rows[0].panels] == ["image", "mask", *(f"copy {k}" for k in range(5))]
    assert rows[0].panels[0].truth
    assert not rows[0].panels[2].truth


def test_palette_predictions_keep_their_class_ids(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of(gains=PERFECT).copied(tmp_path)
    for path in fake.folder.training("s2s2", 0).predictions("away").root.glob("*.png"):
        with Image.open(path) as image:
            coloured = Image.fromarray(np.asarray(image))
        coloured.putpalette([0, 0, 0, 255, 120, 0])
        coloured.save(path)
    panel = examples(fake.results, fake.tests["away"], "away").by_score[0].panels[1]
    assert panel.prediction == panel.truth
