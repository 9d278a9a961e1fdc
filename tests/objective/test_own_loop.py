"""The page and the example for people with a loop of their own do what they say."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def test_every_block_of_the_page_runs(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(site, tmp_path / "sites" / "home")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "own-loop.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    space: dict[str, Any] = {"__name__": "page"}
    for block in blocks:  # one after the other, as they are read
        exec(compile(block, "own-loop.md", "exec"), space)
    assert len(blocks) == 7
    assert list(space["features"]) == ["down_layers.2"]


def test_the_example_shows_a_gain_away(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "own_loop.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    single, pairs = (re.findall(r"\d\.\d+", line) for line in lines[-2:])
    assert float(pairs[1]) > float(single[1]) + 0.05
