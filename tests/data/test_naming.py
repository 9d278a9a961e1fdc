from __future__ import annotations

from pathlib import Path

from s2s2.data.classes import ClassMap
from s2s2.data.naming import classes_for, in_order_of

HOME = ClassMap.parse(["background=0", "RV=1", "LV=3"])


def test_the_order_is_that_of_the_names_and_the_values_are_those_of_the_map() -> None:
    theirs = ClassMap.parse(["background=0", "LV=1", "RV=2,5"])
    assert in_order_of(theirs, HOME.names) == ClassMap.parse(["background=0", "RV=2,5", "LV=1"])
    assert in_order_of(HOME, HOME.names) == HOME
    assert in_order_of(theirs, ("background", "RV", "MYO")) is None
    assert in_order_of(theirs, ()) is None


def test_values_that_a_folder_declares_count_for_classes_of_these_names(tmp_path: Path) -> None:
    assert classes_for(tmp_path, HOME) is HOME
    ClassMap.parse(["background=0", "LV=1", "RV=3"]).save(tmp_path / "classes.json")
    assert classes_for(tmp_path, HOME) == ClassMap.parse(["background=0", "RV=3", "LV=1"])
    assert classes_for(tmp_path / "list.csv", HOME) is HOME
    ClassMap.parse(["background=0", "class_1=1", "class_2=3"]).save(tmp_path / "classes.json")
    assert classes_for(tmp_path, HOME) is HOME
