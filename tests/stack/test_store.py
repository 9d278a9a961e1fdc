from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset, Split
from s2s2.errors import StackError
from s2s2.stack import Stack, build_stack
from s2s2.stack.store import case_path, manifest_path
from tests.stack.made import Echo, opened

Home = tuple[Dataset, Split]


def edit(stack: Stack, **fields: object) -> Stack:
    content = {**stack.manifest, **fields}
    manifest_path(stack.path).write_text(json.dumps(content))
    return Stack.open(stack.path)


def test_a_copy_is_float32_in_range(stack: Stack) -> None:
    copy = stack.copy(stack.ids[0], 0)
    assert copy.dtype == np.float32
    assert copy.shape == (3, 23, 32)
    assert copy.min() >= 0
    assert copy.max() <= 1


def test_properties(stack: Stack, home: Home) -> None:
    assert (len(stack), stack.depth, stack.size, stack.channels) == (len(home[1].train), 4, 32, 3)
    assert "depth=4" in repr(stack)


def test_the_manifest_is_a_copy(stack: Stack) -> None:
    stack.manifest["depth"] = 99
    assert stack.depth == 4


def test_a_stack_pickles(stack: Stack) -> None:
    again = pickle.loads(pickle.dumps(stack))
    np.testing.assert_array_equal(again.copy(stack.ids[0], 2), stack.copy(stack.ids[0], 2))


def test_a_case_id_with_a_slash_is_one_file(tmp_path: Path) -> None:
    assert case_path(tmp_path, "a/b é").parent == tmp_path / "copies"
    assert case_path(tmp_path, "a/b").name != case_path(tmp_path, "a%2Fb").name


def test_verify_accepts_what_build_made(stack: Stack, home: Home) -> None:
    stack.check_against(*home)
    Stack.open(stack.path).verify(home[0].subset(home[1].train))


def test_no_stack(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"There is no stack at .*: it has no manifest.json. Build one"):
        Stack.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ('{"format": 9}', "is of format 9"),
        ('{"format": 1, "depth": 4}', "generator is missing"),
    ],
)
def test_a_corrupt_manifest(stack: Stack, text: str, message: str) -> None:
    manifest_path(stack.path).write_text(text)
    with pytest.raises(StackError, match=message):
        Stack.open(stack.path)


@pytest.mark.parametrize("number", [-1, 4])
def test_no_such_copy(stack: Stack, number: int) -> None:
    with pytest.raises(StackError, match=rf"no copy {number}: its depth is 4, so copies are 0 to 3"):
        stack.copy(stack.ids[0], number)


def test_no_such_case(stack: Stack) -> None:
    with pytest.raises(StackError, match="has no case 'other' among its 6"):
        stack.copy("other", 0)


def test_a_missing_file_is_named(stack: Stack, home: Home) -> None:
    lost = case_path(stack.path, stack.ids[3])
    lost.unlink()
    message = rf"case {stack.ids[3]} cannot be read: .*{lost.name} is missing .* Run `s2s2 stack` again"
    with pytest.raises(StackError, match=message):
        stack.copy(stack.ids[3], 0)
    with pytest.raises(StackError, match=message):
        stack.check_against(*home)


def test_a_corrupt_file_is_named(stack: Stack, home: Home) -> None:
    corrupt = case_path(stack.path, stack.ids[3])
    corrupt.write_bytes(corrupt.read_bytes()[:-40])
    with pytest.raises(StackError, match=rf"{corrupt.name} is corrupt"):
        stack.check_against(*home)


def test_a_file_of_too_few_copies_is_named(stack: Stack, home: Home) -> None:
    with pytest.raises(StackError, match="it holds 4 of 5 copies"):
        edit(stack, depth=5).check_against(*home)


def test_a_changed_mask_names_its_case(site: Path, stack: Stack, home: Home) -> None:
    changed = stack.ids[2]
    Image.fromarray(np.full((40, 56), 255, np.uint8)).save(site / "masks" / f"{changed}.png")
    dataset, _ = opened(site)
    with pytest.raises(StackError, match=rf"masks of 1 cases are not those .* built for: {changed}\."):
        stack.check_against(dataset, home[1])


def test_a_stack_of_other_cases_is_refused(stack: Stack, home: Home) -> None:
    dataset, split = home
    other = Split(split.validation, split.train, split.test)
    with pytest.raises(
        StackError, match=r"was made from 6 cases that are not training cases of .*: case_\d+"
    ):
        stack.check_against(dataset, other)


def test_a_stack_that_lacks_a_case_is_refused(stack: Stack, home: Home) -> None:
    cases = {case_id: entry for case_id, entry in stack.manifest["cases"].items() if case_id != stack.ids[0]}
    with pytest.raises(StackError, match=rf"lacks 1 of 6 training cases: {stack.ids[0]}\."):
        edit(stack, cases=cases).check_against(*home)


def test_another_grid_is_refused(stack: Stack, home: Home) -> None:
    dataset, split = home
    with pytest.raises(StackError, match=r"has size 32 and 3 channels, .* read with size 48 and 3 channels"):
        stack.check_against(dataset.resized(48), split)


@pytest.mark.parametrize("bits", [8, 16])
def test_deflate_stacks_read_the_same(home: Home, stack: Stack, tmp_path: Path, bits: int) -> None:
    deflated, zstd = (
        build_stack(Echo(), *home, tmp_path / name, depth=2, seed=0, bits=bits, compression=name)
        for name in ("deflate", "zstd")
    )
    np.testing.assert_array_equal(deflated.copy(stack.ids[0], 1), zstd.copy(stack.ids[0], 1))
