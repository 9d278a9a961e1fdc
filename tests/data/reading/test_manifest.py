from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from s2s2.data.dataset import Dataset
from s2s2.data.reading.layouts import discover
from s2s2.errors import DataError


def _manifest(site: Path, text: str) -> Path:
    path = site / "cases.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_column_is_read(site: Path) -> None:
    path = _manifest(
        site,
        "image,mask,case,group,domain,split,spacing_mm\n"
        "images/case_00.png,masks/case_00.png,a,p1,MR,train,0.5 0.7\n"
        "images/case_01.png,masks/case_01.png,b,p1,CT,Training,2\n"
        "images/case_02.png,masks/case_02.png,c,p2,CT,val,\n",
    )
    data = Dataset.open(path)
    first, second, third = data
    assert (first.id, first.group, first.domain, first.spacing_mm) == ("a", "p1", "MR", (0.5, 0.7))
    assert (second.spacing_mm, third.spacing_mm) == ((2.0, 2.0), None)
    assert data.declared_split == {"train": ("a", "b"), "validation": ("c",), "test": ()}
    assert data.domain == "MR+CT"
    assert data.subset(["c"]).declared_split == {"train": (), "validation": ("c",), "test": ()}


def test_the_image_alone_is_enough_for_prediction(site: Path) -> None:
    path = _manifest(site, "image\nimages/case_05.png\n\nimages/case_01.png\n")
    data = Dataset.open(path, masks=False)
    assert data.ids == ("case_05", "case_01")
    assert [case.group for case in data] == ["case_05", "case_01"]
    assert data.declared_split is None
    with pytest.raises(DataError, match=r"case_05: cases\.csv gives this case no mask"):
        Dataset.open(path)


def test_what_is_wrong_is_told_at_once(site: Path) -> None:
    path = _manifest(
        site,
        "image,mask,case,group,split,spacing_mm,colour\n"
        "images/case_00.png,masks/case_00.png,a,p1,train,0,red\n"
        "images/case_01.png,masks/case_01.png,a,p2,holdout,x,red\n"
        ",masks/case_02.png,c,p3,test,1,red\n"
        "images/case_03.png,,d,p1,test,1,red\n",
    )
    problems = discover(path).problems
    assert [(problem.rule, problem.subject) for problem in problems] == [
        ("unknown-column", str(path)),
        ("spacing", "a"),
        ("spacing", "a"),
        ("unknown-split", "a"),
        ("no-image", f"{path}, case 3"),
        ("same-name", "a"),
        ("group-in-two-parts", "p1"),
        ("image-without-mask", "d"),
    ]
    with pytest.raises(
        DataError, match=r"cases\.csv cannot be used\. a: spacing_mm is '0' in row 1, expected .* And 4 more"
    ):
        Dataset.open(path)


def test_an_empty_manifest_is_refused(site: Path) -> None:
    with pytest.raises(DataError, match="names no images"):
        discover(_manifest(site, "image,mask\n"))
    with pytest.raises(DataError, match="has the columns none, expected image"):
        discover(_manifest(site, ""))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0", "-0.5", "0.5 nan", "1 2 3", "0.5 mm", "x"])
def test_a_spacing_that_is_no_length_is_refused_with_its_row(site: Path, text: str) -> None:
    path = _manifest(site, f"image,mask,spacing_mm\nimages/case_00.png,masks/case_00.png,{text}\n")
    (problem,) = discover(path).problems
    assert (problem.level, problem.rule, problem.subject) == ("error", "spacing", "case_00")
    assert f"spacing_mm is {text!r} in row 1, expected one or two finite numbers above 0" in problem.message


def test_a_manifest_written_on_windows_is_read(site: Path) -> None:
    path = site / "cases.csv"
    path.write_bytes(b"\xef\xbb\xbfimage;mask\r\nimages\\case_00.png;masks\\case_00.png\r\n")
    (case,) = Dataset.open(path)
    assert (case.id, case.image_path) == ("case_00", site / "images" / "case_00.png")


def test_a_manifest_names_files_in_any_form_of_unicode(site: Path) -> None:
    name = unicodedata.normalize("NFD", "p\u00e9d\u00e9.png")
    for folder in ("images", "masks"):
        (site / folder / "case_00.png").rename(site / folder / name)
    composed = unicodedata.normalize("NFC", name)
    (case,) = Dataset.open(_manifest(site, f"image,mask\nimages/{composed},masks/{composed}\n"))
    assert case.id == composed.removesuffix(".png")
    assert case.image_path.name == name
