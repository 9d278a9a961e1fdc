from __future__ import annotations

import pytest
import torch

from s2s2.core.engine.precision import dtype_of, precision_of
from s2s2.generators.tuning.config import TuneConfig
from s2s2.training.config import TrainConfig

BFLOAT16 = {"avx512_bf16": True, "amx_bf16": False}


@pytest.mark.parametrize(
    ("gpu", "bfloat16", "training", "tuning"),
    [
        (False, True, "32-true", "bf16-mixed"),
        (False, False, "32-true", "32-true"),
        (True, True, "16-mixed", "bf16-mixed"),
        (True, False, "16-mixed", "16-mixed"),
    ],
)
def test_auto_by_machine(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, bfloat16: bool, training: str, tuning: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bfloat16)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: BFLOAT16 if bfloat16 else {}, raising=False)
    assert (precision_of(TrainConfig()), precision_of(TuneConfig())) == (training, tuning)


def test_what_is_asked_for_is_given() -> None:
    assert precision_of(TrainConfig(precision="bf16-mixed")) == "bf16-mixed"
    assert dtype_of(TuneConfig(precision="16-mixed")) is torch.float16
