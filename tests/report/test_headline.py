from __future__ import annotations

import math
from pathlib import Path

import pytest

from s2s2.report.headline import headline, setting
from tests.report.tables import BETTER, OPEN, WORSE, row, written_run

THREE = ("paris", "padova", "aviano", "oxford")


def test_a_supported_gain_is_named_with_its_interval(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *BETTER), row("paris", *OPEN)]))
    assert top.title == "On oxford, s2s2 is better than baseline: Dice +0.050"
    assert top.claims[0].text == (
        "s2s2 is better. Dice 0.600 with baseline and 0.650 with s2s2, a difference of "
        "+0.050 (95\xa0% interval +0.020 to +0.080)."
    )
    assert [claim.domain for claim in top.claims] == ["oxford", "paris"]
    assert top.claims[1].home


def test_an_interval_that_holds_zero_shows_no_difference(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *OPEN, p=0.6)]))
    assert top.title == "On oxford, no difference between s2s2 and baseline could be shown"
    assert top.claims[0].text.startswith("No difference could be shown.")
    assert "−0.020 to +0.040" in top.claims[0].text
    assert "zero lies within the interval" in top.claims[0].text


def test_a_loss_is_called_worse(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *WORSE)]))
    assert top.title == "On oxford, s2s2 is worse than baseline: Dice −0.050"


def test_an_interval_without_zero_is_not_enough_against_holm(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *BETTER, p=0.2)]))
    assert top.title == "On oxford, s2s2 may be better than baseline, but the proof is not enough"
    assert "does not (p = 0.20)" in top.claims[0].text


@pytest.mark.parametrize(
    ("found", "title"),
    [
        ((BETTER, BETTER, BETTER), "s2s2 is better than baseline on all 3 domains away from home"),
        ((BETTER, BETTER), "s2s2 is better than baseline on both domains away from home"),
        ((WORSE, WORSE, WORSE), "s2s2 is worse than baseline on all 3 domains away from home"),
        ((OPEN, OPEN, OPEN), "On 3 domains, no difference between s2s2 and baseline could be shown"),
        (
            (BETTER, OPEN, BETTER),
            "Against baseline, s2s2 is better on padova and oxford; on aviano no difference could be shown",
        ),
        (
            (BETTER, WORSE, OPEN),
            "Against baseline, s2s2 is better on padova and worse on aviano; "
            "on oxford no difference could be shown",
        ),
    ],
)
def test_several_domains_are_told_apart(
    tmp_path: Path, found: tuple[tuple[float, ...], ...], title: str
) -> None:
    domains = THREE[: 1 + len(found)]
    rows = [row(domain, *values) for domain, values in zip(domains[1:], found, strict=True)]
    assert headline(written_run(tmp_path, rows, domains=domains)).title == title


def test_the_duplicate_arm_says_what_the_copies_add(tmp_path: Path) -> None:
    rows = [row("oxford", *BETTER), row("oxford", *OPEN, reference="duplicate")]
    top = headline(written_run(tmp_path, rows, arms=("baseline", "duplicate", "s2s2")))
    assert "oxford +0.010 (95\xa0% interval −0.020 to +0.040), no difference could be shown" in top.control


def test_the_basis_counts_cases_groups_and_seeds(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *BETTER)]))
    assert "48 cases of 40 groups away from home, 2 seeds an arm" in top.basis
    assert "So few seeds say little of how much trainings differ" in top.basis


def test_few_groups_are_called_few(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *BETTER, n_groups=19)]))
    assert top.basis.endswith(
        "Of oxford there are fewer than 20 groups, so the interval is likely too narrow."
    )


def test_one_seed_is_said_to_be_one(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", *BETTER)], seeds=1))
    assert "not that of the training itself" in top.basis


def test_one_domain_says_that_it_is_home(tmp_path: Path) -> None:
    run = written_run(tmp_path, [row("paris", *OPEN)], domains=("paris",))
    assert headline(run).title == "On paris (at home), no difference between s2s2 and baseline could be shown"
    assert "away" not in headline(run).basis
    assert setting(run).endswith("and tested on images that it had not seen.")


def test_one_arm_claims_no_gain(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [], arms=("s2s2",)))
    assert top.title == "What s2s2 reaches on oxford"
    assert top.claims[0].text == "Mean Dice 0.600 (95\xa0% interval 0.550 to 0.650)."
    assert top.basis == "Nothing can be said about a gain: no other arm was trained."


def test_two_arms_without_comparison_claim_no_gain(tmp_path: Path) -> None:
    assert "no comparison was computed" in headline(written_run(tmp_path, [])).basis


def test_a_single_group_has_no_interval(tmp_path: Path) -> None:
    top = headline(written_run(tmp_path, [row("oxford", 0.05, math.nan, math.nan)]))
    assert "no difference" in top.title
    assert "+0.050 (no interval: too few groups)" in top.claims[0].text
