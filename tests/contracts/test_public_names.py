"""The public names are an inventory: none vanishes, none comes by accident."""

from __future__ import annotations

import ast
from pathlib import Path

import s2s2

SOURCE = Path(s2s2.__file__).parent


NAMES = """
Appearance Boxes Case Chain ClassMap Composite ConsistencyLoss Dataset EfficientNetUNet FeatureTap
LiveStack NetworkConfig PairedDataset RandConv Run RunConfig S2S2Error SemanticStacking Split Stack Tap
TrainConfig build_generator build_network build_report build_stack compare fit predict score
split_by_group summarise
"""


def test_every_public_name_can_be_used_and_is_documented() -> None:
    for name in s2s2.__all__:
        value = getattr(s2s2, name)
        assert value.__doc__, name


def test_the_inventory_is_sorted_and_complete() -> None:
    assert s2s2.__all__ == NAMES.split() == dir(s2s2)


def test_files_and_functions_stay_short() -> None:
    long = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text()
        if text.count("\n") > 300:
            long.append(f"{path.relative_to(SOURCE)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (lines := node.end_lineno - node.lineno + 1) > 60:
                long.append(f"{path.relative_to(SOURCE)}: {node.name} has {lines} lines")
    assert not long


def test_no_assert_speaks_to_users() -> None:
    """An assert vanishes under -O and says nothing: errors.py is for that."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert not found
