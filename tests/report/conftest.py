from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.report.fake import FakeRun, Runs, fake_run
from tests.report.learnt import audited_stack


@pytest.fixture(scope="session")
def run_of(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Make a run folder once for each set of arguments; take `.copied(tmp_path)` to change it."""
    made: dict[str, FakeRun] = {}

    def make(**arguments: Any) -> FakeRun:
        name = repr(sorted(arguments.items()))
        if name not in made:
            made[name] = fake_run(tmp_path_factory.mktemp("report"), **arguments)
        return made[name]

    return make


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack of drawn images with faults planted into it, and its audit."""
    return audited_stack(tmp_path_factory.mktemp("audited"))
