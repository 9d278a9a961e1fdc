from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from s2s2.data.reading.layouts import discover
from s2s2.errors import ConfigError, DataError
from tests.drawn import draw_site


def _rules(site: Path, **options: object) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for problem in discover(site, **options).problems:  # type: ignore[arg-type]
        rules.setdefault(f"{problem.level}:{problem.rule}", []).append(problem.subject)
    return rules


def test_a_folder_of_images_and_masks(site: Path) -> None:
    found = discover(site)
    assert [case.id for case in found.cases] == [f"case_{index:02d}" for index in range(12)]
    assert found.problems == ()
    first = found.cases[0]
    assert first.mask_path == site / "masks" / "case_00.png"
    assert (first.group, first.domain) == ("group_0", "site")
    assert discover(site, domain="Lyon").cases[0].domain == "Lyon"


def test_the_folders_of_pranet(site: Path) -> None:
    (site / "images").rename(site / "image")
    assert len(discover(site).cases) == 12


def test_masks_may_have_another_suffix_and_sub_folders_count(site: Path) -> None:
    for folder in ("images", "masks"):
        (site / folder / "deep").mkdir()
        (site / folder / "case_03.png").rename(site / folder / "deep" / "case_00.png")
    (site / "masks" / "case_01.png").rename(site / "masks" / "case_01.TIF")
    (site / "groups.csv").unlink()
    found = discover(site)
    assert found.problems == ()
    by_id = {case.id: case for case in found.cases}
    assert by_id["deep/case_00"].mask_path == site / "masks" / "deep" / "case_00.png"
    assert by_id["case_01"].mask_path == site / "masks" / "case_01.TIF"


def test_a_folder_of_images_alone_is_for_prediction(site: Path) -> None:
    found = discover(site / "images", masks_required=False)
    assert len(found.cases) == 12
    assert all(case.mask_path is None for case in found.cases)
    assert all(case.mask_path is None for case in discover(site, masks_required=False).cases)


def test_a_folder_without_masks_is_refused(site: Path) -> None:
    shutil.rmtree(site / "masks")
    with pytest.raises(
        DataError, match=r"site has images/ but no masks/\. Expected .* same stem: add the masks"
    ):
        discover(site)
    with pytest.raises(DataError, match="images has 12 images and no masks/"):
        discover(site / "images")


def test_a_folder_of_sites_is_refused_with_their_names(tmp_path: Path) -> None:
    draw_site(tmp_path / "home", cases=2)
    draw_site(tmp_path / "away", cases=2)
    with pytest.raises(DataError, match=r"is no data set itself but holds 2: away, home\. Give one of them"):
        discover(tmp_path)


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no data set at .*nowhere"):
        discover(tmp_path / "nowhere")
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "images" / "a.heic").write_text("")
    with pytest.raises(DataError, match=r"holds no images, expected \.png.*1 file \.heic ignored"):
        discover(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match=r"a\.txt is a file, expected a folder .* or a CSV manifest"):
        discover(tmp_path / "a.txt")


def test_all_that_does_not_pair_is_told_at_once(site: Path) -> None:
    (site / "masks" / "case_00.png").unlink()
    (site / "images" / "case_01.png").unlink()
    shutil.copy(site / "images" / "case_02.png", site / "images" / "case_02.bmp")
    (site / "images" / "a.webp").write_text("")
    (site / "images" / ".hidden.png").write_text("")
    (site / "images" / "notes.txt").write_text("")
    rules = _rules(site)
    assert rules["error:image-without-mask"] == ["case_00"]
    assert rules["warning:mask-without-image"] == [str(site / "masks" / "case_01.png")]
    assert rules["error:same-name"] == [str(site / "images" / "case_02.png")]
    assert rules["warning:ignored-files"] == [str(site / "images")]
    assert rules["warning:group-without-case"] == ["case_01"]


def test_groups_by_regular_expression(site: Path) -> None:
    found = discover(site, groups=r"^case_(\d)")
    assert {case.group for case in found.cases} == {"0", "1"}
    assert _rules(site, groups=r"^case_(0\d)") == {"error:no-group": ["case_10", "case_11"]}


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ("case_(", "neither a CSV file nor a regular expression"),
        ("case_", "with 0 groups in parentheses, expected 1"),
        (r"(c)(a)", "with 2 groups in parentheses, expected 1"),
        ("patients.csv", r"names the file patients\.csv, which is neither here nor in"),
        (Path("patients"), "names the file patients"),
    ],
)
def test_groups_that_cannot_be_used_are_refused(site: Path, groups: str | Path, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        discover(site, groups=groups)


def test_groups_by_csv(site: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "\ufeffgroup;case\n" + "".join(f"p{i // 3};case_{i:02d}\n" for i in range(12)), encoding="utf-8"
    )
    assert {case.group for case in discover(site, groups=table).cases} == {"p0", "p1", "p2", "p3"}
    table.write_text("case,group\ncase_00,a\ncase_00,b\ncase_01,\ncase_99,a\n")
    rules = _rules(site, groups=table)
    assert rules["error:two-groups"] == ["case_00"]
    assert rules["error:no-group"] == ["case_01", *(f"case_{index:02d}" for index in range(2, 12))]
    assert rules["warning:group-without-case"] == ["case_99"]
    shutil.copy(table, site / "other.csv")
    assert "error:two-groups" in _rules(site, groups="other.csv")


def test_without_groups_every_case_is_its_own(site: Path) -> None:
    (site / "groups.csv").unlink()
    assert all(case.group == case.id for case in discover(site).cases)


def test_tables_that_cannot_be_read_are_named(site: Path) -> None:
    table = site / "groups.csv"
    table.write_text("case,patient\ncase_00,a\n")
    with pytest.raises(
        DataError, match=r"groups\.csv has the columns case, patient, expected case, group each once"
    ):
        discover(site)
    table.write_text("case,group\ncase_00,a,b\n")
    with pytest.raises(DataError, match=r"groups\.csv, line 2 has 3 cells, expected 2"):
        discover(site)
    table.write_bytes(b"case,group\nS\xfcd,a\n")
    with pytest.raises(DataError, match="cannot be read as UTF-8 text"):
        discover(site)
