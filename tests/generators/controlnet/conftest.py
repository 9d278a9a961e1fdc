from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from s2s2.data import Dataset, Split, split_by_group
from s2s2.generators import ControlNet, ControlNetConfig
from s2s2.generators.controlnet.base import Base, load_base
from s2s2.generators.controlnet.layout import find_base
from s2s2.generators.options import from_json
from tests.drawn import draw_site
from tests.generators.controlnet.tiny import write_base

VERSIONS = ("1.5", "2.1")


class Cases(NamedTuple):
    dataset: Dataset
    split: Split


class Tuned(NamedTuple):
    generator: ControlNet
    config: ControlNetConfig
    folder: Path


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A base model of each version."""
    root = tmp_path_factory.mktemp("bases")
    return {version: write_base(root / f"sd{version}", version) for version in VERSIONS}


@pytest.fixture(scope="session")
def bases(folders: dict[str, Path]) -> dict[str, Base]:
    """The same, loaded; not to be changed."""
    return {version: load_base(find_base(str(folder))) for version, folder in folders.items()}


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Twelve RGB cases, eight of them to learn from, at 24 px: their images are 17 x 24 pixels."""
    dataset = Dataset.open(draw_site(tmp_path_factory.mktemp("cases")), size=24)
    return Cases(dataset, split_by_group(dataset, counts=(8, 2, 2)))


def quick(base: Path, **options: object) -> ControlNetConfig:
    """Settings that tune in seconds: 6 steps of 2 images at 32 px, two checks."""
    values: dict[str, object] = {
        "base": str(base),
        "modality": "An image of the colon",
        "resolution": 32,
        "batch": 2,
        "epochs": 1,
        "learning_rate": 1e-3,
        "checks": 2,
        "judged": 2,
        "steps": 2,
        "sample_batch": 4,
        "workers": 0,
    }
    return from_json(ControlNetConfig, "controlnet", {**values, **options})


@pytest.fixture(scope="session", params=VERSIONS)
def tuned(
    request: pytest.FixtureRequest,
    folders: dict[str, Path],
    cases: Cases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Tuned:
    """A tuning that was done without a break."""
    config = quick(folders[request.param])
    folder = tmp_path_factory.mktemp("tuned") / request.param
    generator = ControlNet(config)
    generator.place(folder)
    return Tuned(generator.tune(*cases), config, folder)
