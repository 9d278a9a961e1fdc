"""The public names are an inventory: none vanishes, none comes by accident."""

from __future__ import annotations

import ast
from pathlib import Path

import s2s2

SOURCE = Path(s2s2.__file__).parent


def test_every_public_name_can_be_used_and_is_documented() -> None:
    for name in s2s2.__all__:
        value = getattr(s2s2, name)
        assert value.__doc__, name


def test_the_inventory_is_sorted_and_complete() -> None:
    assert sorted(s2s2.__all__) == s2s2.__all__
    assert sorted(name for names in s2s2._HOMES.values() for name in names) == s2s2.__all__


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


def test_no_pickle_and_no_eval_in_the_library() -> None:
    """Files are read as data only: no pickle, no eval, no exec."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("eval", "exec")
            ):
                found.append(f"{path.name}: {node.func.id}")
            if isinstance(node, ast.Import) and any(alias.name in ("pickle", "dill") for alias in node.names):
                found.append(f"{path.name}: pickle")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                words = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                if words.get("weights_only") != "True":
                    found.append(f"{path.name}: torch.load without weights_only")
            if isinstance(node, ast.Assert):
                found.append(f"{path.name}: assert")
    assert not found
