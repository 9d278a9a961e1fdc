"""Public data sets go the whole way as they are distributed: run, report, audit, predict, evaluate."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from s2s2.cli import main
from s2s2.errors import ConfigError
from s2s2.pipeline import Run, RunConfig
from tests.public_sets import draw_polyps


@pytest.fixture(scope="module")
def polyps(quick: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    """A finished run from Kvasir-SEG to CVC-ClinicDB and two centres of PolypGen."""
    place = tmp_path_factory.mktemp("public")
    draw_polyps(place)
    config = replace(
        quick,
        data=place / "Kvasir-SEG",
        target=(place / "CVC-ClinicDB", place / "PolypGen"),
        dataset=("kvasir-seg", "cvc-clinicdb", "polypgen/C2+C3"),
        output=place / "run",
        seeds=1,
    )
    Run(config).execute()
    return config


def test_every_domain_is_scored_and_the_groups_are_the_sequences(polyps: RunConfig) -> None:
    with open(polyps.output / "scores.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["domain"] for row in rows} == {"kvasir-seg", "cvc-clinicdb", "C2", "C3"}
    assert {row["class_name"] for row in rows} == {"polyp"}
    # 1, 35, 69 ... 579: most in a sequence of their own.
    groups = {row["case"]: row["group"] for row in rows if row["domain"] == "cvc-clinicdb"}
    assert (groups["1"], groups["35"], groups["69"]) == ("sequence1", "sequence2", "sequence4")


def test_the_report_cites_what_was_read(polyps: RunConfig) -> None:
    page = (polyps.output / "report.html").read_text(encoding="utf-8")
    foot = page[page.index("<footer>") :]
    for text in ("Kvasir-SEG: Jha et al.", "CVC-ClinicDB: Bernal et al.", "Licence: CC BY 4.0"):
        assert foot.count(text) == 1


def test_a_run_of_another_data_set_is_another_run(polyps: RunConfig) -> None:
    other = replace(polyps, dataset=("none", "cvc-clinicdb", "polypgen/C2+C3"))
    with pytest.raises(
        ConfigError, match=r"a run with dataset = kvasir-seg for its data, and now it is none"
    ):
        Run(other).execute()


def test_commands_find_the_data_set_of_the_run_or_are_told_it(polyps: RunConfig, tmp_path: Path) -> None:
    stack = polyps.output / "stack"
    few = ["folds=2", "steps=2", "images_per_step=2", "size=32", "draws=20", "jobs=1"]
    assert main(["audit", str(stack), *(f"--audit.{each}" for each in few)]) == 0
    network = str(polyps.output / "arms" / "s2s2")
    words = [str(polyps.target[0]), "--dataset", "cvc-clinicdb"]
    trusted = ["--trust", polyps.network.name]
    assert main(["predict", network, *words, "--output", str(tmp_path / "masks"), *trusted]) == 0
    assert main(["evaluate", str(tmp_path / "masks"), *words, "--output", str(tmp_path / "scores.csv")]) == 0
