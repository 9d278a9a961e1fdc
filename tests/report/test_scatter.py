from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from s2s2.report.palette import arm_styles
from s2s2.report.scatter import scatter
from s2s2.report.volumes.words import Nouns
from tests.report.fake import Runs
from tests.report.tables import BETTER, row, written_run

STYLES = arm_styles(("baseline", "duplicate", "s2s2"))


def test_every_case_is_a_dot_in_its_place(run_of: Runs) -> None:
    run = run_of().results
    panels = scatter(run, STYLES)
    assert [panel.domain for panel in panels] == ["home", "away"]
    values = run.case_values()
    wanted = values[values["domain"] == "away"].groupby(["case", "arm"])["dice"].mean().unstack()
    dots = re.findall(r'class="dot".*?cx="([\d.]+)%" cy="([\d.]+)%"', panels[1].svg)
    got = sorted((float(x), float(y)) for x, y in dots)
    expected = sorted((100 * x, 100 - 100 * y) for x, y in wanted[["baseline", "s2s2"]].to_numpy())
    for place, target in zip(got, expected, strict=True):
        assert place == pytest.approx(target, abs=0.06)


def test_the_counts_are_those_of_the_comparisons(tmp_path: Path) -> None:
    run = written_run(tmp_path, [row("oxford", *BETTER)])
    (panel,) = [each for each in scatter(run, STYLES) if each.domain == "oxford"]
    assert (panel.better, panel.worse) == (30, 15)


def test_dots_of_volumes_say_which_patient(tmp_path: Path) -> None:
    run = written_run(tmp_path, [row("oxford", *BETTER)])
    scores = run.scores.assign(case="a<b", group='"g"')
    run = replace(run, scores=scores)
    panel = scatter(run, STYLES, Nouns("volume", "patient"))[0]
    assert "<title>a&lt;b, patient &quot;g&quot;</title>" in panel.svg
    assert panel.size == "1 volume of 1 patient"
    own = replace(run, scores=scores.assign(group="a<b"))
    assert "<title>a&lt;b</title>" in scatter(own, STYLES, Nouns("volume", "group"))[0].svg
    lone = replace(run, scores=scores.drop(columns="group"))
    assert scatter(lone, STYLES, Nouns("volume", "group"))[0].size == ""


def test_dots_of_flat_images_say_nothing(run_of: Runs) -> None:
    panel = scatter(run_of().results, STYLES)[0]
    assert "<title>" not in panel.svg
    assert panel.size == ""
