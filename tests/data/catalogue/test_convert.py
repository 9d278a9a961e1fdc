from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data.catalogue.convert import convert, polygons
from s2s2.data.catalogue.locate import Selection
from s2s2.data.checking.inspection import inspect
from s2s2.data.dataset import Dataset
from s2s2.errors import DataError
from tests.public_sets import ANNOTATION, DSB_A, LAYOUTS, OUTLINES, draw_nuclei, draw_public, draw_tissue


def test_masks_of_one_file_a_nucleus_are_united(tmp_path: Path) -> None:
    united = draw_nuclei(tmp_path / "dsb")
    count, problems = convert(Selection.parse("dsb2018"), tmp_path / "dsb", tmp_path / "new")
    assert (count, problems) == (2, ())
    dataset = Dataset.open(tmp_path / "new")
    assert dataset.class_map.names == ("background", "nucleus")
    for case in dataset:
        assert np.array_equal(dataset.original_mask(case), united[case.id])
    image = tmp_path / "dsb" / "stage1_train" / DSB_A / "images" / f"{DSB_A}.png"
    assert (tmp_path / "new" / "images" / f"{DSB_A}.png").read_bytes() == image.read_bytes()
    assert inspect(tmp_path / "new").ok


def test_outlines_are_drawn_and_the_patient_is_the_group(tmp_path: Path) -> None:
    case_id = draw_tissue(tmp_path / "monuseg")
    convert(Selection.parse("monuseg"), tmp_path / "monuseg", tmp_path / "new")
    dataset = Dataset.open(tmp_path / "new")
    assert [(case.id, case.group) for case in dataset] == [(case_id, "TCGA-38-6178")]
    mask = dataset.original_mask(dataset[0])
    for row in range(30):
        for column in range(40):
            sides = [_side(outline, column, row) for outline in OUTLINES]
            if max(sides) > 1:  # a pixel or more inside
                assert mask[row, column] == 1
            elif max(sides) < -1:
                assert mask[row, column] == 0


def _side(outline: tuple[tuple[float, float], ...], x: float, y: float) -> float:
    """Return how far a point lies inside a convex outline (below 0: outside), in pixels."""
    distances = []
    for (x0, y0), (x1, y1) in zip(outline, outline[1:] + outline[:1], strict=True):
        distances.append(((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / np.hypot(x1 - x0, y1 - y0))
    return min(distances)


def test_a_data_set_that_is_read_as_it_lies_can_be_written_too(tmp_path: Path) -> None:
    masks = draw_public(tmp_path / "polypgen", "polypgen")
    convert(Selection.parse("polypgen/C1"), tmp_path / "polypgen", tmp_path / "new")
    dataset = Dataset.open(tmp_path / "new")
    assert [case.id for case in dataset] == [each.case for each in LAYOUTS["polypgen"] if each.domain == "C1"]
    assert all(np.array_equal(dataset.original_mask(case), masks[case.id]) for case in dataset)


def test_what_is_written_stays_when_it_is_written_again(tmp_path: Path) -> None:
    draw_nuclei(tmp_path / "dsb")
    chosen, new = Selection.parse("dsb2018"), tmp_path / "new"
    convert(chosen, tmp_path / "dsb", new)
    before = {path: path.stat().st_mtime_ns for path in new.rglob("*.png")}
    (new / "masks" / f"{DSB_A}.png").unlink()
    convert(chosen, tmp_path / "dsb", new)
    after = {path: path.stat().st_mtime_ns for path in new.rglob("*.png")}
    assert after.keys() == before.keys()
    assert [path.parent.name for path in after if after[path] != before[path]] == ["masks"]


def test_volumes_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds volumes or arrays; only flat images are written"):
        convert(Selection.parse("acdc"), tmp_path, tmp_path / "new")


def test_a_nucleus_of_another_size_is_named(tmp_path: Path) -> None:
    draw_nuclei(tmp_path / "dsb")
    odd = tmp_path / "dsb" / "stage1_train" / DSB_A / "masks" / "odd.png"
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(odd)
    with pytest.raises(DataError, match=r"odd\.png is \(4, 5\) pixels .* its image \(30, 40\)"):
        convert(Selection.parse("dsb2018"), tmp_path / "dsb", tmp_path / "new")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ANNOTATION[:200], "cannot be read as outlines in XML"),
        ("", "cannot be read as outlines in XML"),
        ("<Annotations/>", "holds no Region"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><Annotations>&b;</Annotations>', "it defines entities"),
        (ANNOTATION.replace('X="2.0"', 'X="two"'), "could not convert string to float"),
        (ANNOTATION.replace('X="2.0"', ""), "cannot be read as outlines in XML"),
    ],
)
def test_annotations_that_are_none_are_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.xml"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"odd\.xml.*{said}"):
        polygons(path, (30, 40))
