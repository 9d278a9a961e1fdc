"""A prediction meets the mask of its own case, never the mask at its place in a list."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.data import Dataset
from s2s2.errors import EvaluationError
from s2s2.evaluation import PredictionFolder
from s2s2.evaluation.score import score


def predicted(site: Path, output: Path) -> tuple[Dataset, PredictionFolder]:
    """Perfect predictions, so that any other pairing shows in the Dice."""
    dataset, folder = Dataset.open(site), PredictionFolder(output)
    for case in dataset.cases:
        folder.write(case.id, dataset.original_mask(case))
    return dataset, folder


def test_the_order_of_the_cases_does_not_matter(site: Path, tmp_path: Path) -> None:
    dataset, folder = predicted(site, tmp_path / "out")
    shuffled = list(dataset.ids)
    np.random.default_rng(0).shuffle(shuffled)
    scores = score(folder.root, dataset.subset(shuffled))
    assert scores["case"].tolist() == shuffled
    assert (scores["dice"] == 1).all()


def test_swapped_predictions_do_not_go_unseen(site: Path, tmp_path: Path) -> None:
    dataset, folder = predicted(site, tmp_path / "out")
    first, second = folder.label_map("case_00"), folder.label_map("case_01")
    first.rename(tmp_path / "kept.png")
    second.rename(first)
    (tmp_path / "kept.png").rename(second)
    scores = score(folder.root, dataset).set_index("case")["dice"]
    assert (scores[["case_00", "case_01"]] < 1).all()
    assert (scores.drop(["case_00", "case_01"]) == 1).all()


def test_ids_that_sort_unlike_their_files_still_join(site: Path, tmp_path: Path) -> None:
    """Numbers without leading zeros: 10 comes before 2 in a list of names."""
    for folder in ("images", "masks"):
        for path in (site / folder).glob("*.png"):
            path.rename(path.with_name(f"{int(path.stem.removeprefix('case_'))}.png"))
    (site / "groups.csv").unlink()
    dataset, predictions = predicted(site, tmp_path / "out")
    assert (score(predictions.root, dataset)["dice"] == 1).all()


def test_a_missing_prediction_is_an_error(site: Path, tmp_path: Path) -> None:
    dataset, folder = predicted(site, tmp_path / "out")
    folder.label_map("case_03").unlink()
    with pytest.raises(EvaluationError, match=r"1 \(case_03\) without a prediction, none without a case"):
        score(folder.root, dataset)


def test_an_extra_prediction_is_an_error(site: Path, tmp_path: Path) -> None:
    dataset, folder = predicted(site, tmp_path / "out")
    with pytest.raises(
        EvaluationError, match=r"none without a prediction, 6 \(case_00, .* and 1 more\) without a case"
    ):
        score(folder.root, dataset.subset(dataset.ids[6:]))


def test_no_case_at_all_is_an_error(site: Path, tmp_path: Path) -> None:
    dataset, folder = predicted(site, tmp_path / "out")
    with pytest.raises(EvaluationError, match="has no case to score"):
        score(folder.root, dataset.subset([]))
