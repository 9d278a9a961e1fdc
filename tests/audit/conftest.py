from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from s2s2.audit import Audit, Segmenters, run_audit
from s2s2.stack import Stack
from tests.audit.made import ABLE, QUICK, Home, home


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """New images of 16 masks, ten each; every tenth is wrong, every tenth memorised."""
    return home(tmp_path_factory.mktemp("planted"), size=64, cases=20, depth=10)


@pytest.fixture(scope="session")
def audited(planted: Home) -> Audit:
    """The same, audited by judges that can see."""
    torch.manual_seed(0)
    return run_audit(planted.stack, planted.dataset, planted.split, config=ABLE, folder=planted.judges)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """New images of 8 masks, three each, on a 32 px grid that is not square."""
    return home(tmp_path_factory.mktemp("small"), size=32, cases=10, depth=3)


@pytest.fixture(scope="session")
def judges(small: Home) -> Segmenters:
    """Judges of the small stack, hardly trained."""
    return Segmenters.fit(small.train, small.judges, QUICK)


@pytest.fixture
def copied(small: Home, tmp_path: Path) -> Callable[[str], Stack]:
    """Makes a copy of the small stack by a name, to be audited on its own."""

    def make(name: str) -> Stack:
        shutil.copytree(small.stack.path, tmp_path / name, ignore=shutil.ignore_patterns("audit"))
        return Stack.open(tmp_path / name)

    return make
