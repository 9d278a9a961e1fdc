from __future__ import annotations

from pathlib import Path

from s2s2.pipeline.trainings import sooner
from s2s2.run.config import RunConfig
from s2s2.training.config import TrainConfig


def test_advice_names_what_makes_a_run_shorter_and_nothing_else() -> None:
    def advice(size: int, steps: int, seeds: int) -> str:
        train = TrainConfig(steps=steps)
        return sooner(RunConfig(data=Path("home"), output=Path("run"), size=size, seeds=seeds, train=train))

    assert advice(256, 2000, 3) == (
        ". There is no GPU: --size 128 --train.steps 300 --seeds 1 gives a first answer sooner"
    )
    assert advice(256, 300, 1) == ". There is no GPU: --size 128 gives a first answer sooner"
    assert advice(96, 150, 1) == ""
