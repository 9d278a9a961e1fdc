"""The table of what to touch in CONTRIBUTING.md is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from s2s2 import arms, metrics
from s2s2.cli import COMMANDS
from s2s2.data.catalogue.info import known_datasets
from s2s2.data.files import READERS
from s2s2.data.volumes.formats import VOLUME_READERS
from s2s2.generators import catalogue
from s2s2.networks import BUILT_IN
from s2s2.pipeline.run import STAGES

ROOT = Path(__file__).parents[2]
ROWS = [line for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if re.match(r"\| an? ", line)]
MOST = 4


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_every_file_of_a_row_exists_and_they_are_few(row: str) -> None:
    files = re.findall(r"`((?:src|docs)/[\w/.]+)`", row)
    assert 0 < len(files) <= MOST
    assert [name for name in files if not (ROOT / name).exists()] == []


def test_the_table_names_what_can_be_added() -> None:
    assert len(ROWS) == 10
    for registered in (
        arms.ARMS,
        metrics.METRICS,
        catalogue.NAMED,
        BUILT_IN,
        STAGES,
        READERS,
        VOLUME_READERS,
        COMMANDS,
        known_datasets(),
    ):
        assert registered
