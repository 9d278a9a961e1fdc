"""The best network is chosen on home images alone: as they are, and under fixed stress."""

from __future__ import annotations

import math
from pathlib import Path

import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from s2s2.core.streams import stream
from s2s2.data import Dataset, Split
from s2s2.data.grid import padded
from s2s2.data.transforms.stress import stressed
from s2s2.networks import Normalisation
from s2s2.objective import SemanticStacking
from s2s2.training import TrainConfig, fit
from s2s2.training.data_module import ValidationCases
from s2s2.training.module import StackingModule, case_dice
from tests.stack.made import opened


@pytest.fixture
def home(site: Path) -> tuple[Dataset, Split]:
    return opened(site)


def test_stressed_versions_follow_the_images_as_they_are(home: tuple[Dataset, Split]) -> None:
    validation = home[0].subset(home[1].validation)
    cases = ValidationCases(validation, 32, stressed=2)
    assert len(cases) == 3 * len(validation)
    for index in range(len(cases)):
        version, place = divmod(index, len(validation))
        item, case = cases[index], validation[place]
        image = validation.image(case)
        if version:
            image = stressed(image, stream("stress", case.id, version))
        assert item["case"] == case.id
        assert item["stressed"] == (version > 0)
        np.testing.assert_array_equal(item["image"].numpy(), padded(image, 32))
        np.testing.assert_array_equal(item["mask"].numpy(), padded(validation.mask(case), 32))


class Bright(nn.Module):
    """Calls what is bright foreground."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, image: Tensor) -> Tensor:
        shown = self.scale * (image.mean(1, keepdim=True) - 0.5)
        return torch.cat([-shown, shown], 1)


@pytest.mark.parametrize("versions", [0, 2])
def test_the_score_is_the_mean_of_both_kinds_of_image(home: tuple[Dataset, Split], versions: int) -> None:
    cases = ValidationCases(home[0].subset(home[1].validation), 32, stressed=versions)
    objective = SemanticStacking(nn.CrossEntropyLoss(), encoder=None, w_syn=0.0)
    module = StackingModule(Bright(), objective, Normalisation((0.0,) * 3, (1.0,) * 3), TrainConfig())
    expected: dict[bool, list[float]] = {False: [], True: []}
    for start in range(0, len(cases), 3):
        items = [cases[index] for index in range(start, min(start + 3, len(cases)))]
        module.validation_step(torch.utils.data.default_collate(items), 0)
        for item in items:
            label = (item["image"].mean(0) > 0.5).long()
            dice = case_dice(label[None], item["mask"][None], 2)
            expected[item["stressed"]].append(float(dice))
    module.on_validation_epoch_end()
    means = {kind: float(np.nanmean(found)) if found else math.nan for kind, found in expected.items()}
    assert module.validation["validation_clean"] == pytest.approx(means[False], abs=1e-6)
    chosen = means[False]
    if versions:
        assert module.validation["validation_stressed"] == pytest.approx(means[True], abs=1e-6)
        chosen = (means[False] + means[True]) / 2
    assert module.validation_dice == pytest.approx(chosen, abs=1e-6)


def test_the_history_shows_what_a_network_is_chosen_by(home: tuple[Dataset, Split], tmp_path: Path) -> None:
    L.seed_everything(0, verbose=False)
    config = TrainConfig(steps=4, validations=2, images_per_step=4, workers=0)
    result = fit(home[1].training(home[0]), None, tmp_path, config=config, arm="baseline")
    history = pd.read_csv(tmp_path / "history.csv")
    chosen = (history["validation_clean"] + history["validation_stressed"]) / 2
    np.testing.assert_allclose(history["validation_dice"], chosen)
    assert result.best_dice == pytest.approx(history["validation_dice"].max())
