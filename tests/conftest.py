from __future__ import annotations

from pathlib import Path

import pytest

from tests.drawn import draw_site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Twelve RGB cases of six groups, ellipses of one class, masks 0 and 255."""
    return draw_site(tmp_path / "site")
