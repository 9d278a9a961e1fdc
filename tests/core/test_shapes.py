"""Values of the wrong type are named, with the file they stand in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NotRequired

import pytest
from typing_extensions import TypedDict

from s2s2.core.storage import read_json
from s2s2.errors import SplitError


class Known(TypedDict):
    depth: int
    share: NotRequired[float | None]
    cases: NotRequired[dict[str, list[str]]]


@pytest.mark.parametrize(
    "content",
    [{"depth": 1}, {"depth": 1, "share": None}, {"depth": 1, "share": 1, "cases": {"a": ["b"]}, "later": []}],
)
def test_what_fits_is_returned_as_it_is(content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_json(tmp_path / "a.json", shape=Known) == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "depth is missing"),
        ({"depth": "1"}, 'depth is "1": input should be a valid integer'),
        ({"depth": True}, "depth is true"),
        ({"depth": 1.5}, "depth is 1.5"),
        ({"depth": 1, "share": "x"}, 'share is "x"'),
        ({"depth": 1, "cases": {"a": [None]}}, "cases.a.0 is null"),
        ({"depth": 1, "cases": []}, "cases is []"),
    ],
)
def test_what_does_not_fit_is_named(content: dict[str, Any], said: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(content))
    with pytest.raises(SplitError) as raised:
        read_json(file, error=SplitError, shape=Known)
    assert str(raised.value).startswith(f"{file}: {said}")
