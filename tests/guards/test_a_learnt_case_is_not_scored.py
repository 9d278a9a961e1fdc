"""Published generators and networks had seen test images; here the score refuses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.data import Dataset, Split
from s2s2.errors import EvaluationError
from s2s2.evaluation.predict import predict
from s2s2.evaluation.score import score
from s2s2.pipeline import RunConfig


def test_a_learnt_case_is_not_scored(finished: RunConfig, tmp_path: Path) -> None:
    home = Dataset.open(finished.data)
    network = finished.output / "arms" / "s2s2" / "seed0" / "network"
    predict(network, home, tmp_path / "all", known=finished.network)
    with pytest.raises(EvaluationError, match=r"has seen cases.*12 \(.*Score the test part alone"):
        score(tmp_path / "all", home)


def test_the_same_ids_at_another_site_are_scored(finished: RunConfig, tmp_path: Path) -> None:
    away = Dataset.open(finished.target[0])
    network = finished.output / "arms" / "s2s2" / "seed0" / "network"
    split = Split.load(finished.output / "split.json")
    assert set(away.ids) & set(split.train)
    predict(network, away, tmp_path / "away", known=finished.network)
    assert len(score(tmp_path / "away", away)) == len(away)
