from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.errors import EvaluationError
from s2s2.evaluation import PredictionFolder

LABELS = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize("case", ["case_1", "a/b", "ünï code 7%", "what?*", "..", "x.png"])
def test_any_id_comes_back(case: str, tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path / "out")
    folder.write(case, LABELS)
    assert folder.ids == (case,)
    np.testing.assert_array_equal(folder.read(case), LABELS)
    assert folder.label_map(case).parent == folder.root


def test_files_that_are_being_written_are_no_predictions(tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path)
    folder.write("case", LABELS)
    (tmp_path / ".123-abc.part.png").write_bytes(b"")
    assert folder.ids == ("case",)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path / "nowhere")
    assert folder.ids == ()
    assert folder.facts == {}
    assert not folder.holds("case", (3, 4), probabilities=False, overlay=False)


def test_probabilities_come_back_to_16_bits(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).dirichlet(np.ones(3), (7, 9)).transpose(2, 0, 1).astype(np.float32)
    folder = PredictionFolder(tmp_path)
    folder.write_probabilities("case", scores)
    np.testing.assert_allclose(folder.read_probabilities("case"), scores, atol=0.5001 / 65535)


def test_probabilities_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        EvaluationError, match=r"case\.tif cannot be read .* Predict again with probabilities"
    ):
        PredictionFolder(tmp_path).read_probabilities("case")


def test_a_colour_image_is_no_label_map(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "case.png")
    with pytest.raises(
        EvaluationError, match=r"case\.png is a colour image, expected one grey value for each pixel"
    ):
        PredictionFolder(tmp_path).read("case")


def test_a_corrupt_label_map_is_named(tmp_path: Path) -> None:
    (tmp_path / "case.png").write_bytes(b"corrupt")
    with pytest.raises(EvaluationError, match=r"The prediction of case 'case' cannot be used: .*case\.png"):
        PredictionFolder(tmp_path).read("case")


def test_holds_asks_for_every_file(tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path)
    folder.write("case", LABELS)
    assert folder.holds("case", (3, 4), probabilities=False, overlay=False)
    assert not folder.holds("case", (4, 3), probabilities=False, overlay=False)
    assert not folder.holds("case", (3, 4), probabilities=True, overlay=False)
    folder.write_probabilities("case", np.zeros((2, 3, 4), np.float32))
    folder.write_overlay("case", np.zeros((3, 4, 3), np.uint8))
    assert folder.holds("case", (3, 4), probabilities=True, overlay=True)
