"""Every command and every Python block of the README and the Quickstart works."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from s2s2.cli import main
from s2s2.pipeline import RunConfig

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/quickstart.md")
SLOW = ("run", "demo")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)


def commands(page: str) -> list[str]:
    lines = "\n".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("s2s2 ")]


@pytest.fixture
def workplace(finished: RunConfig, sites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the pages suppose it: sites/home, sites/away, new_images, runs/first."""
    shutil.copytree(sites, tmp_path / "sites")
    shutil.copytree(sites / "away" / "images", tmp_path / "new_images")
    shutil.copytree(finished.output, tmp_path / "runs" / "first")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page(page: str, workplace: Path) -> None:
    found = commands(page)
    assert found
    for command in found:
        words = shlex.split(command)[1:]
        if words[0] in SLOW:
            words = [*words, "--dry-run"]
        if words[0] == "train":
            words += ["--train.steps", "1", "--train.validations", "1", "--train.images_per_step", "2"]
        assert main(words) == 0, command


@pytest.mark.parametrize("page", PAGES)
def test_python_of_a_page(page: str, workplace: Path) -> None:
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), {"__name__": "page"})
