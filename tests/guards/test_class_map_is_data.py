"""Names and values of classes come from the data or its user, and travel with it; none is in the code."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from rich.console import Console

from s2s2.data import ClassMap, Dataset
from s2s2.data.checking.inspection import inspect
from tests.drawn import draw_site


def test_the_class_map_is_data(tmp_path: Path) -> None:
    site = draw_site(tmp_path / "site", classes=3)
    named = ClassMap.parse(["background=0", "cup=2", "disc=1"])
    named.save(site / "classes.json")
    data = Dataset.open(site)
    assert data.class_map.names == ("background", "cup", "disc")
    plain = Dataset.open(site, class_map=ClassMap.parse(["background=0", "first=1", "second=2"]))
    swapped = np.array([0, 2, 1], np.uint8)
    for case, same in zip(data, plain, strict=True):
        np.testing.assert_array_equal(data.original_mask(case), swapped[plain.original_mask(same)])


def test_the_check_shows_the_class_map(tmp_path: Path) -> None:
    site = draw_site(tmp_path / "site", classes=3)
    ClassMap.parse(["background=0", "cup=2", "disc=1"]).save(site / "classes.json")
    report = inspect(site)
    assert [(entry["name"], entry["values"]) for entry in report.summary["classes"]] == [
        ("background", [0]),
        ("cup", [2]),
        ("disc", [1]),
    ]
    out = io.StringIO()
    report.render(Console(file=out, width=100))
    assert "cup" in out.getvalue()
    assert "disc" in out.getvalue()
