from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.data.catalogue.pattern import Pattern
from s2s2.errors import ConfigError


def _written(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")


def _found(root: Path, text: str, parts: dict[str, str] | None = None) -> dict[str, dict[str, str]]:
    return {str(path.relative_to(root)): told for path, told in Pattern(text).found_below(root, parts)}


def test_parts_are_told_by_the_path(tmp_path: Path) -> None:
    _written(tmp_path, "a/1_x.png", "a/2_x.png", "a/2_x.jpg", "a/b/3_x.png", "a/._1_x.png", "4_x.png")
    assert _found(tmp_path, "a/{case}_x.png") == {"a/1_x.png": {"case": "1"}, "a/2_x.png": {"case": "2"}}


def test_a_name_that_comes_again_is_the_same_text(tmp_path: Path) -> None:
    _written(tmp_path, "p1/p1_f1.gz", "p1/p2_f1.gz", "p2/p2_f1.gz")
    found = _found(tmp_path, r"p{n:\d+}/p{n}_f{f:\d}.gz")
    assert found == {"p1/p1_f1.gz": {"n": "1", "f": "1"}, "p2/p2_f1.gz": {"n": "2", "f": "1"}}
    _written(tmp_path, "q/5_5", "q/5_6")
    assert list(_found(tmp_path, r"q/{n:\d}_{n}")) == ["q/5_5"]


def test_expressions_have_brackets_and_alternatives(tmp_path: Path) -> None:
    _written(tmp_path, "ab12.tif", "ab1.tif", "ab12.bmp")
    assert list(_found(tmp_path, r"ab{n:\d{2}}.{s:tif|png}")) == ["ab12.tif"]


def test_known_parts_narrow_the_search_and_signs_of_expressions_are_text(tmp_path: Path) -> None:
    _written(tmp_path, "m/a+b.png", "m/aab.png")
    assert list(_found(tmp_path, "m/{case}.png", {"case": "a+b"})) == ["m/a+b.png"]
    assert list(_found(tmp_path, "m/{case}{more}.png", {"case": "a+"})) == ["m/a+b.png"]


def test_folders_are_found_and_what_is_no_folder_is_not_entered(tmp_path: Path) -> None:
    _written(tmp_path, "MR/1/Ground/a.png", "MR/2")
    assert _found(tmp_path, r"MR/{p:\d}/Ground") == {"MR/1/Ground": {"p": "1"}}


@pytest.mark.parametrize("text", ["{case", "{1}.png", "{}.png", "{n:[}.png"])
def test_a_pattern_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no pattern of a path .* Write parts as \{name\}"):
        Pattern(text)


def test_a_missing_part_is_named() -> None:
    with pytest.raises(ConfigError, match="needs the part 'frame', got case"):
        Pattern("{frame}.png").fill({"case": "1"})
