from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from s2s2.data import Dataset
from s2s2.errors import EvaluationError
from s2s2.report import build_report, page as page_module
from s2s2.run.results import Results
from tests.report.fake import FakeRun, Runs


class Outline(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(fake: FakeRun, tmp_path: Path, **changes: Any) -> str:
    return build_report(fake.copied(tmp_path).configure(**changes).folder).read_text()


def sections(page: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', page)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, run_of: Runs) -> str:
    return page_of(run_of(), tmp_path_factory.mktemp("page"))


def test_the_page_holds_every_part(page: str) -> None:
    assert sections(page) == [
        "glance", "differences", "cases", "stack", "predictions", "training", "fairness", "data", "methods",
        "numbers",
    ]  # fmt: skip
    assert "Pairs as the network sees them" in page
    assert "The idea in four pictures" in page


def test_the_methods_name_the_distance(tmp_path: Path, run_of: Runs) -> None:
    assert "cosine distance)." in page_of(run_of(), tmp_path / "plain")
    assert "angular distance)." in page_of(run_of(), tmp_path / "angular", distance="angular")


def test_the_page_needs_nothing_else(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    sources = [attributes["src"] or "" for attributes in outline.every("img")]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert not outline.every("script")
    assert "url(" not in page
    assert "@import" not in page
    assert [attributes["href"] for attributes in outline.every("link")] == ["data:,"]


def test_every_picture_has_its_text(page: str) -> None:
    outline = Outline()
    outline.feed(page)
    assert all(attributes.get("alt") for attributes in outline.every("img"))
    drawn = [attributes for attributes in outline.every("svg") if attributes.get("role") == "img"]
    assert drawn
    assert all(attributes.get("aria-label") for attributes in drawn)


def test_headings_go_down_one_step_at_a_time(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_links_of_the_contents_lead_somewhere(page: str) -> None:
    assert set(re.findall(r'href="#(\w+)"', page)) == set(sections(page))


def test_the_foot_gives_licences_and_the_paper(page: str) -> None:
    foot = page[page.index("<footer>") :]
    assert "Drawn data, free for all use." in foot
    assert "arXiv:2412.13156" in foot


def test_folders_of_the_author_stay_private(page: str, run_of: Runs) -> None:
    assert str(run_of().config.data.parent) not in page


def test_names_cannot_break_the_page(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of(domains=("home", "a&b<i>"))
    page = page_of(fake, tmp_path)
    assert "a&amp;b&lt;i&gt;" in page
    assert "<i>" not in page


VARIANTS: dict[str, dict[str, Any]] = {
    "one domain": {"domains": ("home",)},
    "one arm": {"arms": ("s2s2",)},
    "one arm, one domain, one seed": {"arms": ("baseline",), "domains": ("home",), "seeds": 1},
    "one seed": {"seeds": 1},
    "all arms": {"arms": ("baseline", "duplicate", "duplicate-consistency", "synthetic", "s2s2")},
    "several classes": {"classes": 4},
    "grey": {"channels": 1},
    "16 bit": {"channels": 1, "bits": 16},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_any_run_gets_a_page(tmp_path: Path, variant: dict[str, Any], run_of: Runs) -> None:
    fake = run_of(**variant)
    page = page_of(fake, tmp_path)
    assert {"glance", "predictions", "fairness", "data", "methods"} <= set(sections(page))
    assert ("differences" in sections(page)) == (len(fake.config.arms) > 1)
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"|<path[^>]*>', "", page))


def test_stretched_greys_are_said_to_be_stretched(tmp_path: Path, run_of: Runs, page: str) -> None:
    assert "shown by their first channel in grey" in page_of(run_of(channels=1), tmp_path)
    assert "shown by their first channel in grey" not in page


def test_missing_pieces_are_left_out(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of().copied(tmp_path)
    root = fake.folder.root
    for path in [*root.rglob("history.csv"), *root.rglob("fit.json")]:
        path.unlink()
    for name in ("comparisons.csv", "summary.csv", "split.json", "config.yaml", "run.json"):
        (root / name).unlink()
    bare = build_report(root).read_text()
    assert sections(bare) == ["glance", "cases", "fairness", "data", "methods", "numbers"]
    assert "The run holds no summary" in bare
    assert "no comparison was computed" in bare


def test_a_stack_that_is_gone_is_left_out(tmp_path: Path, run_of: Runs) -> None:
    fake = run_of().copied(tmp_path)
    shutil.rmtree(fake.folder.stack)
    page = build_report(fake.folder).read_text()
    assert "stack" not in sections(page)
    assert "predictions" in sections(page)


def test_pairs_are_not_shown_where_no_arm_shows_a_copy(tmp_path: Path, run_of: Runs) -> None:
    page = page_of(run_of(arms=("baseline", "duplicate")), tmp_path)
    assert "Pairs as the network sees them" not in page


def test_the_easier_opponent_is_named(tmp_path: Path, run_of: Runs) -> None:
    page = page_of(run_of(), tmp_path, as_published=True)
    assert page.count("the baseline saw half as many images") >= 2


def test_a_folder_without_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"scores\.csv is missing or empty.*s2s2 evaluate"):
        build_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_the_methods_carry_the_settings(page: str) -> None:
    start = page.index('<section id="methods"')
    text = page[start : page.index('<section id="numbers"')]
    for fact in (
        "8 synthetic images",
        "200 steps of 24 images",
        "encoder consistency 0.4",
        "2 seeds each",
        "48 pixels",
    ):
        assert fact in text


def test_the_page_says_which_sites_need_random_styles(
    tmp_path: Path, run_of: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, list[str]]] = []

    def advise(home: Dataset, away: dict[str, Dataset], generators: dict[str, Path]) -> tuple[str, ...]:
        asked.append((len(home), list(away)))
        return ("Images of a < b differ.",)

    monkeypatch.setattr(page_module, "advise", advise)
    fake = run_of()
    page = page_of(fake, tmp_path)
    assert "<p>Images of a &lt; b differ.</p>" in page
    results = Results.read(fake.folder)
    assert asked == [(len(results.split.train), list(results.away))]
