from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.drawn import draw_site

if TYPE_CHECKING:
    from s2s2.pipeline import RunConfig

# How long an example takes depends on what else the machine does; no test is about that.
settings.register_profile("s2s2", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("s2s2")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep slices of volumes out of the cache folder of the user, in child processes too."""
    os.environ["S2S2_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Twelve RGB cases of six groups, ellipses of one class, masks 0 and 255."""
    return draw_site(tmp_path / "site")


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sites/home (16 cases of 8 groups) and sites/away (8 cases, another look)."""
    root = tmp_path_factory.mktemp("story") / "sites"
    draw_site(root / "home", cases=16, seed=1)
    draw_site(root / "away", cases=8, seed=2, shape=(48, 40))
    return root


@pytest.fixture(scope="session")
def quick(sites: Path) -> RunConfig:
    """A whole run that takes seconds: two arms, two seeds, a few steps at 32 px."""
    from s2s2.audit import AuditConfig
    from s2s2.networks import NetworkConfig
    from s2s2.pipeline import RunConfig, SplitConfig, StackConfig
    from s2s2.training import TrainConfig
    from tests.drawn import SMALL_NETWORK

    return RunConfig(
        data=sites / "home",
        target=(sites / "away",),
        output=sites.parent / "run",
        size=32,
        arms=("baseline", "s2s2"),
        seeds=2,
        split=SplitConfig(counts=(10, 2, 4)),
        stack=StackConfig(depth=2),
        audit=AuditConfig(
            folds=2,
            steps=2,
            images_per_step=2,
            size=32,
            draws=20,
            jobs=1,
            network=NetworkConfig(**SMALL_NETWORK),
        ),
        network=NetworkConfig(**SMALL_NETWORK),
        train=TrainConfig(steps=4, images_per_step=4, validations=2),
        jobs=1,
    )


@pytest.fixture(scope="session")
def finished(quick: RunConfig) -> RunConfig:
    """The same, run to its end once."""
    from s2s2.pipeline import Run

    Run(quick).execute()
    return quick
