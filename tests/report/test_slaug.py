"""What a page says of the arms with SLAug."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.arms import in_order, pairs_of, reference_of
from s2s2.report.methods import methods
from s2s2.report.palette import arm_styles
from s2s2.report.setup import fairness
from tests.report.fake import FakeRun, Runs

ARMS = ("baseline", "slaug", "slaug+s2s2")


@pytest.fixture
def fake(tmp_path: Path, run_of: Runs) -> FakeRun:
    return run_of(arms=ARMS).copied(tmp_path)


def test_the_methods_name_the_augmentation_and_the_arms_that_have_it(fake: FakeRun, run_of: Runs) -> None:
    text = " ".join(methods(fake.results))
    assert "In slaug and slaug+s2s2 the real image was augmented by SLAug (Su et al., AAAI 2023" in text
    assert "18 × 18 cells" in text
    assert "SLAug" not in " ".join(methods(run_of().results))


def test_unequal_exposure_as_published_is_said(fake: FakeRun) -> None:
    published = fake.configure(as_published=True).results
    assert "every arm took as many cases a step" in fairness(published).verdict
    assert "all took as many cases a step, whatever they showed of each" in " ".join(methods(published))


def test_what_the_method_adds_to_slaug_is_compared() -> None:
    assert pairs_of(ARMS, reference_of(ARMS))[-1] == ("slaug+s2s2", "slaug")
    assert in_order(["s2s2", *reversed(ARMS)]) == (*ARMS, "s2s2")
    styles = arm_styles(["mine", "duplicate", *ARMS, "s2s2"]).values()
    assert len({style.light for style in styles}) == len({(style.mark, style.dash) for style in styles}) == 6
