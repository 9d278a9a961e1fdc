"""The page and the example for people with a loop of their own do what they say."""

from __future__ import annotations

import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from s2s2 import SemanticStacking

ROOT = Path(__file__).parents[2]


def test_every_block_of_the_page_runs(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(site, tmp_path / "sites" / "home")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "own-loop.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    space: dict[str, Any] = {"__name__": "page"}
    for block in blocks:  # one after the other, as they are read
        exec(compile(block, "own-loop.md", "exec"), space)
    assert len(blocks) == 17
    assert list(space["features"]) == ["down_layers.2"]
    assert space["terms"].encoder > 0  # of what was combined


def test_the_page_shows_what_is_printed() -> None:
    network = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 2, 1))
    objective = SemanticStacking(nn.CrossEntropyLoss(), encoder=["1"], alpha_enc=0.4)
    page = (ROOT / "docs" / "own-loop.md").read_text()
    (shown,) = re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL)
    assert shown.strip() == str(objective.describe(network, torch.rand(4, 3, 32, 32)))


def test_the_example_shows_a_gain_away(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / "own_loop.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    single, pairs = (re.findall(r"\d\.\d+", line) for line in lines[-2:])
    assert float(pairs[1]) > float(single[1]) + 0.05
