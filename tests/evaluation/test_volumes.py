from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from s2s2.data.dataset import Dataset
from s2s2.errors import EvaluationError
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.predict import predict
from s2s2.evaluation.score import score
from s2s2.networks.checkpoint import NetworkCard, save_network
from s2s2.networks.build import build_network
from s2s2.networks.normalisation import default_normalisation
from s2s2.data.volumes.config import VolumeConfig
from tests.drawn import SMALL_NETWORK
from tests.drawn_volumes import AFFINE, disc, draw_volumes, save


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_volumes(tmp_path_factory.mktemp("volumes") / "away", 3, seed=20)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, away: Path) -> Path:
    """An untrained network of three classes that was made for slices with their neighbours."""
    dataset = Dataset.open(away)
    card = NetworkCard(
        SMALL_NETWORK, 3, 32, None, dataset.class_map, default_normalisation(3), {"train": ("x",)}, "s2s2", 0,
        volumes=VolumeConfig(neighbours=1, intensities="window", window=(0.0, 200.0)),
    )
    folder = tmp_path_factory.mktemp("network")
    save_network(folder, build_network(SMALL_NETWORK, channels=3, classes=3), card)
    return folder


def opened(path: Path, **options: object) -> Dataset:
    config = VolumeConfig(neighbours=1, intensities="window", window=(0.0, 200.0))
    return Dataset.open(path, volumes=config, masks=False, **options)  # type: ignore[arg-type]
