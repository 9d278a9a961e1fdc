from __future__ import annotations

from typing import Any

import pytest

from s2s2.core.engine.config import OptimisationConfig
from s2s2.errors import ConfigError
from s2s2.generators.tuning.config import TuneConfig
from s2s2.training.config import TrainConfig


@pytest.mark.parametrize(("config", "option"), [(TrainConfig, "--train."), (TuneConfig, "tuning: ")])
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("steps", 0, "steps must be at least 1, got 0"),
        ("clip_norm", -1.0, "clip_norm must be at least 0, got -1.0"),
        ("weight_decay", float("nan"), "weight_decay must be at least 0, got nan"),
        ("learning_rate", 0.0, "learning_rate must be above 0, got 0.0"),
        ("workers", -2, "workers must be 0 or more, or -1 to choose by the machine, got -2"),
        ("precision", "16", "precision must be one of auto, 32-true, 16-mixed, bf16-mixed, got '16'"),
    ],
)
def test_a_shared_setting_is_refused_by_the_name_of_its_option(
    config: type[OptimisationConfig], option: str, field: str, value: Any, words: str
) -> None:
    with pytest.raises(ConfigError, match=f"{option}{words}"):
        config(**{field: value})


def test_the_batches_of_a_training_are_whole_intervals_and_those_of_a_tuning_end_at_the_last_step() -> None:
    training, tuning = TrainConfig(steps=10, validations=3), TuneConfig(steps=10, checks=3, accumulate=2)
    assert [training.batches_of(epoch) for epoch in range(training.epochs)] == [
        range(0, 3),
        range(3, 6),
        range(6, 9),
        range(9, 12),
    ]
    assert [len(tuning.batches_of(epoch)) for epoch in range(tuning.epochs)] == [8, 8, 4]
