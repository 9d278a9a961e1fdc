from __future__ import annotations

import pytest

from tests.report.fake import FakeRun
from tests.report.volumes.fake import volume_run


@pytest.fixture(scope="session")
def volume_fake(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    """A run on volumes; take `.copied(tmp_path)` to change it."""
    return volume_run(tmp_path_factory.mktemp("volumes"))
