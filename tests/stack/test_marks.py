from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from s2s2.data import Dataset, Split
from s2s2.errors import StackError
from s2s2.stack import Stack, build_stack
from s2s2.stack.marks import disagreement_path, marks_path
from s2s2.stack.store import manifest_path
from tests.stack.made import Echo

Home = tuple[Dataset, Split]


def test_marks_are_read_as_they_were_written_in_a_fixed_order(stack: Stack) -> None:
    first, second = stack.ids[:2]
    assert stack.marks == {}
    stack.write_marks({second: {3: ["memorised", "unfaithful"], 1: ["unfaithful"]}, first: {0: []}})
    assert Stack.open(stack.path).marks == {second: {1: ("unfaithful",), 3: ("unfaithful", "memorised")}}
    before = marks_path(stack.path).read_bytes()
    stack.write_marks({first: {}, second: {1: ["unfaithful"], 3: ["unfaithful", "memorised"]}})
    assert marks_path(stack.path).read_bytes() == before
    assert json.loads(before)["inputs"]["stack"]["seed"] == 0


def test_marks_outlive_a_larger_depth(home: Home, stack: Stack) -> None:
    stack.write_marks({stack.ids[0]: {2: ["memorised"]}})
    deeper = build_stack(Echo(), *home, stack.path, depth=6, seed=0)
    assert deeper.marks == {stack.ids[0]: {2: ("memorised",)}}


def test_marks_of_another_stack_are_refused(home: Home, stack: Stack, tmp_path: Path) -> None:
    stack.write_marks({stack.ids[0]: {2: ["memorised"]}})
    other = build_stack(Echo(), *home, tmp_path / "other", depth=4, seed=1)
    marks_path(other.path).parent.mkdir()
    marks_path(other.path).write_bytes(marks_path(stack.path).read_bytes())
    with pytest.raises(
        StackError, match=r"made of other inputs: stack\.seed was 0, now 1\. .*: run `s2s2 audit` again"
    ):
        _ = other.marks


@pytest.mark.parametrize("content", [{"marks": [1]}, {"marks": {"a": {"x": ["nan"]}}}, {}])
def test_corrupt_marks_are_named(stack: Stack, content: dict[str, object]) -> None:
    marks_path(stack.path).parent.mkdir()
    marks_path(stack.path).write_text(json.dumps({"inputs": {"stack": stack.recipe}, **content}))
    with pytest.raises(StackError, match=r"marks.json holds no marks .* Run `s2s2 audit` again"):
        _ = stack.marks


def test_what_the_stack_does_not_have_is_not_marked(stack: Stack) -> None:
    for marks, message in (
        ({"other": {0: ["nan"]}}, "has no case 'other'"),
        ({stack.ids[0]: {4: ["nan"]}}, "has no copy 4"),
        ({stack.ids[0]: {0: ["ugly"]}}, "marked 'ugly', expected one of unfaithful, memorised"),
    ):
        with pytest.raises(StackError, match=message):
            stack.write_marks(marks)


def test_maps_of_disagreement_are_read_one_by_one(home: Home, stack: Stack) -> None:
    case_id = stack.ids[1]
    maps = np.random.default_rng(0).random((4, 23, 32)) > 0.5
    assert stack.disagreement(case_id, 0) is None
    stack.write_disagreement(case_id, maps)
    for number in range(4):
        np.testing.assert_array_equal(stack.disagreement(case_id, number), maps[number])
    stack.write_disagreement(case_id, ~maps)
    np.testing.assert_array_equal(stack.disagreement(case_id, 2), ~maps[2])
    deeper = build_stack(Echo(), *home, stack.path, depth=5, seed=0)
    assert deeper.disagreement(case_id, 4) is None
    with pytest.raises(StackError, match="has no copy 5"):
        deeper.disagreement(case_id, 5)


def test_a_corrupt_map_is_named(stack: Stack) -> None:
    path = disagreement_path(stack.path, stack.ids[0])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"II*\0corrupt")
    with pytest.raises(StackError, match=r"is corrupt .* Run `s2s2 audit` again"):
        stack.disagreement(stack.ids[0], 0)


def test_a_stack_without_parts_has_one(stack: Stack) -> None:
    content = stack.manifest
    del content["parts"], content["weights"]
    recipe = stack.recipe
    manifest_path(stack.path).write_text(json.dumps(content))
    older = Stack.open(stack.path)
    assert older.parts == [{"name": "echo", "config": {"noise": 0.05}, "traits": [], "copies": [0, 1, 2, 3]}]
    assert older.recipe == recipe


def test_marks_that_are_missing_beside_an_audit_are_not_taken_for_none(stack: Stack) -> None:
    marks_path(stack.path).parent.mkdir(exist_ok=True)
    marks_path(stack.path).with_name("audit.json").write_text("{}")
    with pytest.raises(StackError, match=r"marks\.json is missing, though audit\.json .*`s2s2 audit` again"):
        _ = stack.marks
