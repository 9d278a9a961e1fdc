from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s2s2.audit import Audit
from s2s2.errors import AuditError
from s2s2.report import build_audit_page, build_audit_section, build_report
from s2s2.report.palette import REAL, ArmStyle, generator_styles
from s2s2.report.trust.figures import dispersion_plot, distributions
from s2s2.report.trust.section import MOST, Trust
from s2s2.run.config import StackConfig
from tests.report.fake import Runs
from tests.report.learnt import changed, learnt, mixture, tuned, written
from tests.report.test_page import Outline, sections

STYLE = ArmStyle("#000", "#fff", "circle", "", "made", "--part-1")
STYLES = {REAL: ArmStyle("#000", "#fff", "circle", "", REAL, "--part-0"), "made": STYLE}


def section_of(folder: Path, **options: Any) -> Trust:
    audit = Audit.load(folder)
    return build_audit_section(audit, generator_styles(list(audit.record["parts"])), **options)


def cell(trust: Trust, row: int, head: str) -> tuple[str, str]:
    found = trust.rows[row].cells[trust.heads.index(head)]
    return found.value, found.small


def test_the_audits_own_figures_are_shown(audited: Path) -> None:
    trust, record = section_of(audited), Audit.load(audited).record
    (part,) = record["parts"].values()
    assert trust.verdict == tuple(record["verdict"]["sentences"])
    assert cell(trust, 0, "Dice with the mask")[0] == f"{part['agreement']['mean']:.2f}"
    low, high = part["kid"]["low"], part["kid"]["high"]
    assert f"{low:.1f} to {high:.1f}".replace("-", "−") in cell(trust, 0, "KID to real images")[1]
    assert cell(trust, 0, "Memorised")[0] == f"{part['marked']['memorised']} of {part['copies']}"
    assert f"{record['real']['agreement']['mean']:.2f}" in trust.caption
    assert [panel.title for panel in trust.plots] == [
        "Do they show their mask?",
        "Are they new?",
        "Do they scatter little enough?",
    ]
    assert trust.plots[2].svg.count("<circle") == Audit.load(audited).cases["sigma"].notna().sum()


def test_marked_copies_are_listed_with_their_reasons(audited: Path) -> None:
    trust, copies = section_of(audited), Audit.load(audited).copies
    marked = copies[copies["marks"] != ""]
    assert len(marked) > 0
    assert [row[:4] for row in trust.marked.rows] == [
        (row["case"], str(row["copy"]), row["part"], row["marks"].replace(";", ", "))
        for _, row in marked.iterrows()
    ]


def test_a_long_list_is_cut_and_says_so(audited: Path, tmp_path: Path) -> None:
    folder = changed(audited, tmp_path, lambda record: None)
    rows = (folder / "copies.csv").read_text().splitlines()
    marked = [rows[1].rsplit(",", 1)[0] + ",memorised"] * (MOST + 7)
    (folder / "copies.csv").write_text("\n".join([rows[0], *marked]) + "\n")
    written(folder)
    trust = section_of(folder)
    assert len(trust.marked.rows) == MOST
    assert trust.marked.title == f"{MOST + 7} marked copies"
    assert f"The first {MOST} of {MOST + 7}" in trust.marked.caption


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("leave-out", "left marked copies out"),
        ("mask", "ignored the pixels"),
        ("keep", "took marked copies as they are"),
        (None, "--train.marked"),
    ],
)
def test_what_training_did_with_them_is_said(audited: Path, marked: str | None, words: str) -> None:
    assert words in section_of(audited, marked=marked).treatment


def test_a_stack_without_marks_has_no_list(audited: Path, tmp_path: Path) -> None:
    folder = changed(audited, tmp_path, lambda record: None)
    text = re.sub(
        r",(memorised|unfaithful|;)+$", ",", (folder / "copies.csv").read_text(), flags=re.MULTILINE
    )
    (folder / "copies.csv").write_text(text)
    written(folder)
    trust = section_of(folder, marked="leave-out")
    assert trust.marked.rows == ()
    assert trust.treatment == "No copy is marked, so training draws from all of them."


def test_the_parts_of_a_mixture_are_told_apart(audited: Path, tmp_path: Path) -> None:
    trust = section_of(mixture(audited, tmp_path))
    assert [row.part for row in trust.rows] == ["appearance", "diffusion", "all copies"]
    assert [style.name for style in trust.styles] == [REAL, "appearance", "diffusion"]
    assert "masks exact by construction" in trust.rows[0].size
    assert "keeps the geometry" in trust.rows[0].size
    assert "exact" not in trust.rows[1].size
    assert "masks of appearance are exact by construction" in trust.reading
    assert "Copies of appearance keep the geometry of the real image by design" in trust.reading
    assert trust.plots[0].svg.count('class="line"') == 3


def test_what_could_not_be_measured_is_a_dash(audited: Path, tmp_path: Path) -> None:
    empty = {"mean": None, "low": None, "high": None}

    def lost(record: dict[str, Any]) -> None:
        for part in record["parts"].values():
            part.update(diversity=empty, kid=empty, fid=None, dispersion={}, ssim_own=empty)

    trust = section_of(changed(audited, tmp_path, lost))
    assert cell(trust, 0, "Copies of a mask differ by") == ("–", "")
    assert cell(trust, 0, "KID to real images") == ("–", "")
    assert cell(trust, 0, "σg and σ")[0] == "–"


def test_classes_are_listed_where_there_are_several(audited: Path, tmp_path: Path) -> None:
    assert section_of(audited).classes == ()

    def split(record: dict[str, Any]) -> None:
        for figures in (record["real"], *record["parts"].values()):
            (figure,) = figures["agreement_by_class"].values()
            figures["agreement_by_class"] = {"heart": figure, "lung": figure}

    classes = section_of(changed(audited, tmp_path, split)).classes
    assert [row[:2] for row in classes] == [("heart", "redrawn"), ("lung", "redrawn")]


def test_heights_are_shares_of_the_own_values() -> None:
    few, many = np.full(10, 0.2), np.r_[np.full(500, 0.2), np.full(500, 0.8)]
    svg = distributions({REAL: many, "made": few}, STYLES, "words")
    heights = [
        float(y)
        for path in re.findall(r'class="line".*?d="M([^"]+)"', svg)
        for y in re.findall(r" ([\d.]+)", path)
    ]
    # The tallest bin holds all of the few, the next tallest half of the many.
    assert sorted({100 - y for y in heights if y < 100}) == pytest.approx([50, 100], abs=1)
    assert svg.count('class="band"') == 1
    assert distributions({REAL: np.array([]), "made": np.array([])}, STYLES, "words") == ""


def test_the_line_of_the_condition_has_the_slope_of_the_root_of_the_depth() -> None:
    svg = dispersion_plot(np.array([1.0, np.nan]), np.array([2.0, 1.0]), 16, STYLE, 'a "name"')
    assert svg.count("<circle") == 1
    assert 'cx="50.0%" cy="0.00%"' in svg
    assert '<line class="limit" x1="0" y1="100%" x2="25.00%" y2="0"/>' in svg
    assert 'aria-label="a &quot;name&quot;"' in svg
    assert dispersion_plot(np.array([np.nan]), np.array([1.0]), 4, STYLE, "") == ""


def test_the_audit_has_a_page_that_needs_nothing_else(audited: Path, tmp_path: Path) -> None:
    page = build_audit_page(audited, tmp_path / "audit.html").read_text()
    outline = Outline()
    outline.feed(page)
    images = outline.every("img")
    assert len(images) == len(Audit.load(audited).sheets) > 2
    assert all((each["src"] or "").startswith("data:image/") and each["alt"] for each in images)
    drawn = [each for each in outline.every("svg") if each.get("role") == "img"]
    assert len(drawn) == 3
    assert all(each.get("aria-label") for each in drawn)
    assert not outline.every("script")
    assert "url(" not in page
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"', "", page))


def test_a_stack_that_was_not_audited_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="s2s2 audit"):
        build_audit_page(tmp_path, tmp_path / "audit.html")
    assert not (tmp_path / "audit.html").exists()


@pytest.fixture(scope="module")
def page(run_of: Runs, audited: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("trusted")
    fake = run_of(arms=("baseline", "s2s2@appearance", "s2s2"))
    tuning = tuned(root / "diffusion-0a1b2c3d")
    folder = learnt(fake, root, audited / "audit", tuning, appearance=mixture(audited, root / "mixture"))
    return build_report(folder).read_text()


def test_the_report_holds_audits_and_tunings(page: str) -> None:
    assert {"trust", "tuning"} <= set(sections(page))
    assert set(re.findall(r'href="#(\w+)"', page)) == set(sections(page))
    assert "Can the stacks be trusted?" in page
    assert "left marked copies out" in page
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_colour_of_a_part_is_defined(page: str) -> None:
    used = set(re.findall(r"var\((--part-\w+)\)", page))
    assert len(used) >= 4
    assert all(f"{name}: #" in page for name in used)


def test_the_methods_speak_of_the_audit(page: str) -> None:
    methods = page[page.index('<section id="methods"') : page.index('<section id="numbers"')]
    assert "cross-fitted by group" in methods
    assert f"by each of the generators appearance and {StackConfig().generator}" in methods


def test_an_arm_with_a_stack_of_its_own_is_shown_like_any_other(page: str) -> None:
    assert "features asked to agree (appearance)" in page
    assert page.count("s2s2@appearance") > 5
