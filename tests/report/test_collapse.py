"""A consistency that asks for nothing is named; others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from s2s2.report.collapse import empty_terms
from tests.report.fake import Runs


@pytest.mark.parametrize(
    ("placed", "relative", "named"),
    [(0.99, 0.8, True), (0.99, 0.1, False), (0.4, 0.9, False), (float("nan"), float("nan"), False)],
)
def test_a_term_that_asks_for_nothing_is_named(
    run_of: Runs, placed: float, relative: float, named: bool
) -> None:
    run = run_of().results
    run = replace(run, history=run.history.assign(encoder_placed=placed, encoder_relative=relative))
    words = (
        "s2s2: the encoder features of any two images are as close as those of a pair: the term asks for "
        "nothing. (Distance of pairs over that of unrelated images 0.80; share of the features that is the "
        "same in unrelated images 0.99.)"
    )
    assert empty_terms(run) == ((words,) if named else ())
    assert empty_terms(run, unweighted=("encoder",)) == ()


def test_the_beginning_of_a_training_does_not_count(run_of: Runs) -> None:
    run = run_of().results
    early = run.history["step"] <= 100
    history = run.history.assign(encoder_placed=early * 0.99, encoder_relative=0.9)
    assert empty_terms(replace(run, history=history)) == ()


def test_a_history_without_meters_says_nothing(run_of: Runs) -> None:
    assert empty_terms(run_of().results) == ()
