from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from s2s2.core.tables import write_table
from s2s2.data import ClassMap, Dataset
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import DataError, EvaluationError
from s2s2.evaluation import PredictionFolder, read_scores, score_columns, summarise
from s2s2.evaluation.compare import compare
from s2s2.evaluation.score import score
from s2s2.metrics import METRICS, Comparison, Metric, register
from tests.drawn import draw_site


@pytest.fixture
def dataset(site: Path) -> Dataset:
    return Dataset.open(site)


@pytest.fixture
def folder(dataset: Dataset, tmp_path: Path) -> PredictionFolder:
    """Perfect predictions of every case."""
    folder = PredictionFolder(tmp_path / "out")
    for case in dataset.cases:
        folder.write(case.id, dataset.original_mask(case))
    return folder


def test_perfect_predictions(dataset: Dataset, folder: PredictionFolder) -> None:
    scores = score(folder.root, dataset)
    assert list(scores.columns) == list(score_columns())
    assert scores["case"].tolist() == list(dataset.ids)
    assert (scores[["dice", "iou", "precision", "recall", "nsd"]] == 1).all(axis=None)
    assert (scores[["hd95", "assd"]] == 0).all(axis=None)
    row = scores.iloc[3]
    assert [row["group"], row["domain"], row["class_id"], row["class_name"]] == [
        "group_1",
        "site",
        1,
        "foreground",
    ]
    assert [row["unit"], row["tolerance"], row["status"]] == ["px", 2.0, "scored"]


def test_a_missed_object_has_the_diagonal_of_the_original_image(
    dataset: Dataset, folder: PredictionFolder
) -> None:
    folder.write("case_05", np.zeros((40, 56), np.uint8))
    row = score(folder.root, dataset).set_index("case").loc["case_05"]
    assert row["status"] == "missed"
    assert row["hd95"] == row["assd"] == pytest.approx(math.hypot(40, 56))
    assert row["dice"] == 0


def test_masks_are_those_of_the_files_whatever_the_working_grid(
    dataset: Dataset, folder: PredictionFolder
) -> None:
    small = dataset.resized(24)
    pd.testing.assert_frame_equal(score(folder.root, small), score(folder.root, dataset))


def test_distances_are_in_mm_where_the_spacing_is_known(dataset: Dataset, folder: PredictionFolder) -> None:
    for case in dataset.cases:
        folder.write(case.id, np.roll(dataset.original_mask(case), 3, axis=0))
    spaced = Dataset(
        [replace(case, spacing_mm=(0.5, 0.5)) for case in dataset.cases], dataset.class_map, dataset.channels
    )
    pixels, mm = score(folder.root, dataset), score(folder.root, spaced)
    assert set(mm["unit"]) == {"mm"}
    np.testing.assert_allclose(mm["hd95"], pixels["hd95"] / 2)
    np.testing.assert_allclose(mm["assd"], pixels["assd"] / 2)
    assert (mm["nsd"] > pixels["nsd"]).all()


def test_without_surfaces_there_are_no_distances(dataset: Dataset, folder: PredictionFolder) -> None:
    scores = score(folder.root, dataset, surface=False)
    assert scores["hd95"].isna().all()
    assert scores[["nsd", "assd"]].isna().all(axis=None)
    assert (scores["dice"] == 1).all()


def test_flat_images_have_no_volume_and_no_summary_of_it(dataset: Dataset, folder: PredictionFolder) -> None:
    spaced = Dataset(
        [replace(case, spacing_mm=(0.5, 0.5)) for case in dataset.cases], dataset.class_map, dataset.channels
    )
    scores = score(folder.root, spaced)
    assert scores["volume_error_ml"].isna().all()
    assert set(summarise(scores, draws=20)["metric"]) == set(METRICS) - {"volume_error_ml"}


def test_the_tolerance_is_used_and_written_down(dataset: Dataset, folder: PredictionFolder) -> None:
    for case in dataset.cases:
        folder.write(case.id, np.roll(dataset.original_mask(case), 3, axis=0))
    strict, lenient = score(folder.root, dataset, tolerance=0), score(folder.root, dataset, tolerance=5)
    assert (strict["nsd"] < 0.6).all()
    assert (lenient["nsd"] == 1).all()
    assert lenient["tolerance"].unique().tolist() == [5.0]


def test_several_classes_have_a_row_each(tmp_path: Path) -> None:
    dataset = Dataset.open(draw_site(tmp_path / "site", classes=4, cases=3))
    folder = PredictionFolder(tmp_path / "out")
    for case in dataset.cases:
        labels = dataset.original_mask(case)
        folder.write(case.id, np.where(labels == 2, 0, labels).astype(np.uint8))
    scores = score(folder.root, dataset)
    assert len(scores) == 9
    second = scores[scores["class_id"] == 2]
    assert (second["status"] == "missed").all()
    assert (scores[scores["class_id"] == 3]["dice"] == 1).all()


def test_a_prediction_of_another_size_is_refused(dataset: Dataset, folder: PredictionFolder) -> None:
    folder.write("case_02", np.zeros((64, 64), np.uint8))
    with pytest.raises(EvaluationError, match=r"case_02\.png is 64 x 64 pixels .* mask of the case 40 x 56"):
        score(folder.root, dataset)


def test_values_that_are_no_class_ids_are_refused(dataset: Dataset, folder: PredictionFolder) -> None:
    folder.write("case_02", np.full((40, 56), 255, np.uint8))
    with pytest.raises(
        EvaluationError, match=r"case_02\.png holds the value 255, but the data set has 2 classes"
    ):
        score(folder.root, dataset)


def test_predictions_with_other_classes_are_refused(dataset: Dataset, folder: PredictionFolder) -> None:
    folder.write_facts({"classes": ["background", "polyp", "tool"]})
    with pytest.raises(
        EvaluationError, match=r"made with the classes background, polyp, tool, but .* foreground"
    ):
        score(folder.root, dataset)


def test_the_same_classes_in_another_order_are_refused(dataset: Dataset, folder: PredictionFolder) -> None:
    folder.write_facts({"classes": list(reversed(dataset.class_map.names))})
    with pytest.raises(EvaluationError, match="made with the classes foreground, background, but"):
        score(folder.root, dataset)


def test_a_class_that_is_never_labelled_may_be_in_the_class_map(
    dataset: Dataset, folder: PredictionFolder
) -> None:
    classes = ClassMap(("background", "polyp", "tool"), ((0,), (255,), (7,)))
    wide = Dataset(dataset.cases, classes, dataset.channels)
    scores = score(folder.root, wide)
    assert (scores[scores["class_name"] == "tool"]["status"] == "absent").all()


def test_cases_without_masks_are_refused(site: Path, dataset: Dataset, folder: PredictionFolder) -> None:
    blind = Dataset.open(site, masks=False, class_map=dataset.class_map)
    with pytest.raises(DataError, match="case_00 has no mask"):
        score(folder.root, blind)


def test_a_colour_picture_is_refused(dataset: Dataset, folder: PredictionFolder) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 56, 3)).astype(np.uint8)
    Image.fromarray(picture).save(folder.label_map("case_00"))
    with pytest.raises(EvaluationError, match="colour image"):
        score(folder.root, dataset)


def test_a_very_long_id_is_scored(site: Path, dataset: Dataset, folder: PredictionFolder) -> None:
    long = replace(dataset.cases[0], id="\u60a3\u8005" * 60)
    folder.label_map("case_00").rename(folder.label_map(long.id))
    renamed = Dataset((long, *dataset.cases[1:]), dataset.class_map, root=site, channels=dataset.channels)
    assert score(folder.root, renamed)["case"].iloc[0] == long.id


def false_positive_rate(pair: Comparison) -> np.ndarray:
    """Share of the pixels outside a class that are predicted as it."""
    labels = range(1, pair.classes)
    return np.array([(pair.prediction[pair.mask != label] == label).mean() for label in labels])


def test_a_metric_from_outside_is_scored_summed_up_and_compared(
    dataset: Dataset, folder: PredictionFolder, tmp_path: Path
) -> None:
    before = score(folder.root, dataset)
    register(Metric("fpr", "False-positive rate", false_positive_rate, "in [0, 1]", best=0.0, tested=True))
    try:
        folder.write("case_00", np.ones((40, 56), np.uint8))
        scores = score(folder.root, dataset)
        assert scores.set_index("case").loc["case_00", "fpr"] == 1
        assert (scores["fpr"].iloc[1:] == 0).all()
        write_table(scores, tmp_path / "scores.csv")
        assert read_scores(tmp_path / "scores.csv")["fpr"].equals(scores["fpr"])
        summary = summarise(scores, draws=20).set_index(["class_name", "metric"])
        assert summary.loc[("all", "fpr"), "mean"] == pytest.approx(1 / len(dataset))
        both = pd.concat([before.assign(arm="baseline", fpr=0.0), scores.assign(arm="s2s2")]).assign(seed=0)
        row = compare(both, draws=20).set_index("metric").loc["fpr"]
        assert [row["better"], row["worse"]] == [0, 1]
        # A table from before the metric was there still reads and sums up.
        write_table(before, tmp_path / "before.csv")
        assert "fpr" not in set(summarise(read_scores(tmp_path / "before.csv"), draws=20)["metric"])
    finally:
        del METRICS["fpr"]
    assert list(before.columns) == list(score_columns())


def test_a_folder_that_is_not_there_is_named(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"There is no folder .*nowhere of predictions"):
        score(tmp_path / "nowhere", dataset)


def test_a_volume_is_scored_as_one_in_mm_and_ml(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    site, labels = tmp_path / "site", np.zeros((24, 20, 6), np.uint8)
    labels[5:15, 4:12, 1:5] = 1
    affine = np.diag([0.8, 1.5, 4.0, 1.0])
    for name in ("a", "b"):
        noise = np.random.default_rng(ord(name)).normal(100 * labels, 10).astype(np.float32)
        for folder, voxels in (("images", noise), ("masks", labels)):
            (site / folder).mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(voxels, affine), site / folder / f"{name}.nii.gz")
    dataset = Dataset.open(site)
    folder = PredictionFolder(tmp_path / "out")
    for volume in dataset.volumes:
        found = volume_mask(dataset, volume).copy()
        if volume.id == "b":
            # One slice of 10 x 8 pixels is missed.
            found[np.flatnonzero(found.any(axis=(1, 2)))[0]] = 0
        folder.write_volume(volume, found)
    scores = score(folder.root, dataset).set_index("case")
    assert scores["unit"].tolist() == ["mm", "mm"]
    assert scores["volume_error_ml"].tolist() == pytest.approx([0, 80 * 0.8 * 1.5 * 4 / 1000])
    assert scores.loc["b", "dice"] == pytest.approx(2 * 3 / (3 + 4))
    assert scores.loc["b", "hd95"] == 4.0
    assert 0 == scores.loc["a", "assd"] < scores.loc["b", "assd"] < 4
    assert "volume_error_ml" in set(summarise(scores.reset_index(), draws=20)["metric"])
