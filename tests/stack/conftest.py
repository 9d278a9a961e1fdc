from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.data import Dataset, Split
from s2s2.stack import Stack, build_stack
from tests.stack.made import Echo, opened


@pytest.fixture
def home(site: Path) -> tuple[Dataset, Split]:
    return opened(site)


@pytest.fixture
def stack(home: tuple[Dataset, Split], tmp_path: Path) -> Stack:
    """Four copies of each training case."""
    return build_stack(Echo(), *home, tmp_path / "stack", depth=4, seed=0)
