"""What the pages point at exists, and they speak of the project alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_and_every_named_test_exists(page: Path) -> None:
    text = page.read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    links += re.findall(r'src="([^":]+)"', text)
    missing = [link for link in links if link and not (page.parent / link).exists()]
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    missing += [name for name in named if not (ROOT / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_names_no_place_of_a_machine(page: Path) -> None:
    assert not re.findall(r"(/home/\w|/work/|/root/|/tmp/|\.\./shared)", page.read_text())
