from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from s2s2.core.engine.schedule import on_plateau, rate_factor, scheduled
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.module import TunedModule
from s2s2.training.config import TrainConfig
from s2s2.training.module import StackingModule


@pytest.mark.parametrize(
    ("steps", "warmup", "decay"),
    [(10, 3, "cosine"), (10, 1, "cosine"), (9, 2, "polynomial"), (7, 0, "constant"), (7, 3, "constant")],
)
def test_the_rate_of_every_step_against_a_naive_derivation(steps: int, warmup: int, decay: str) -> None:
    rising = [step / warmup for step in range(1, warmup + 1)]
    left = steps - warmup
    falling = {
        "cosine": [(1 + math.cos(math.pi * step / left)) / 2 for step in range(left + 1)],
        "polynomial": [((left - step) / left) ** 0.9 for step in range(left + 1)],
        "constant": [1.0] * (left + 1),
    }
    expected = rising + falling[decay]
    weights = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weights], lr=0.5)
    schedule = scheduled(optimiser, steps=steps, warmup=warmup, decay=decay)["lr_scheduler"]["scheduler"]  # type: ignore
    for factor in expected:
        assert optimiser.param_groups[0]["lr"] == pytest.approx(0.5 * factor, abs=1e-12)
        optimiser.step()
        schedule.step()


def rates(module: TunedModule | StackingModule, count: int) -> list[float]:
    found = module.configure_optimizers()
    schedule = found["lr_scheduler"]["scheduler"]  # type: ignore[index, typeddict-item]
    return [schedule.lr_lambdas[0](step) for step in range(count)]


def test_a_training_warms_up_over_a_share_of_all_whole_intervals() -> None:
    # 25 steps in 4 validations are 5 intervals of 6 steps, so 30 steps, of which 6 warm up.
    config = TrainConfig(steps=25, validations=4, warmup=0.2)
    module = StackingModule(nn.Conv2d(1, 2, 1), None, None, config)  # type: ignore[arg-type]
    assert rates(module, 31) == [rate_factor(step, steps=30, warmup=6) for step in range(31)]
    brief = StackingModule(nn.Conv2d(1, 2, 1), None, None, TrainConfig(steps=4, warmup=0.0))  # type: ignore[arg-type]
    assert rates(brief, 2) == [1.0, 1.0]


def test_a_tuning_warms_up_over_at_most_half_of_its_steps() -> None:
    class Module(TunedModule):
        loss = sample = None  # type: ignore[assignment]

    config = TuneConfig(steps=10, warmup=100, schedule="cosine")
    expected = [rate_factor(step, steps=10, warmup=5, decay="cosine") for step in range(11)]
    assert rates(Module(nn.Linear(1, 1), config), 11) == expected
    constant = TuneConfig(steps=10, warmup=0, schedule="constant")
    assert rates(Module(nn.Linear(1, 1), constant), 11) == [1.0] * 11


def test_a_plateau_halves_the_rate_after_ten_scores_without_a_gain() -> None:
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=3e-6)
    found = on_plateau(optimiser, "validation_dice")["lr_scheduler"]
    assert found["monitor"] == "validation_dice"  # type: ignore[index, typeddict-item]
    seen = []
    for score in [0.1, 0.5] + [0.5] * 22:
        found["scheduler"].step(score)  # type: ignore[index, typeddict-item, call-arg]
        seen.append(optimiser.param_groups[0]["lr"])
    assert seen == [3e-6] * 12 + [1.5e-6] * 11 + [1e-6]


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_the_optimiser_is_the_one_that_is_named(name: str, kind: type[torch.optim.Optimizer]) -> None:
    config = TrainConfig(optimiser=name, learning_rate=0.02, weight_decay=0.003)  # type: ignore[arg-type]
    module = StackingModule(nn.Conv2d(1, 2, 1), None, None, config)  # type: ignore[arg-type]
    optimiser = module.configure_optimizers()["optimizer"]  # type: ignore[index, typeddict-item]
    assert type(optimiser) is kind
    assert optimiser.defaults["lr"] == 0.02
    assert optimiser.defaults["weight_decay"] == 0.003
    assert optimiser.defaults.get("momentum", 0.9) == 0.9
