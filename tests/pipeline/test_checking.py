"""The division of a run: whatever file of it was the last before a kill, the same command goes on."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from s2s2.data import Split
from s2s2.errors import NetworkError, SplitError
from s2s2.networks import NetworkConfig
from s2s2.pipeline import Run, RunConfig
from s2s2.pipeline.run import STAGES

DIVIDED = STAGES[:2]


class KilledError(Exception):
    """Stands for a kill."""


def test_a_run_killed_at_any_file_of_its_division_goes_on(
    quick: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written, last = os.replace, list[Path](), None

    def killed(source: Any, target: Any) -> None:
        if last is not None and len(written) == last:
            raise KilledError
        real(source, target)
        written.append(Path(target))

    monkeypatch.setattr(os, "replace", killed)
    Run(replace(quick, output=tmp_path / "whole"), stages=DIVIDED).execute()
    names = [path.name for path in written]
    assert {"config.yaml", "split.json", ".split.done.json"} <= {*names}
    for number in range(len(names)):
        output = tmp_path / f"run{number}"
        written.clear()
        last = number
        with pytest.raises(KilledError):
            Run(replace(quick, output=output), stages=DIVIDED).execute()
        last = None
        Run(replace(quick, output=output), stages=DIVIDED).execute()
        assert (output / "split.json").read_bytes() == (tmp_path / "whole" / "split.json").read_bytes()


def test_a_split_file_that_changed_is_refused_and_the_division_of_the_run_stays(
    quick: RunConfig, tmp_path: Path
) -> None:
    Run(replace(quick, output=tmp_path / "first"), stages=DIVIDED).execute()
    given = tmp_path / "given.json"
    made = Split.load(tmp_path / "first" / "split.json")
    made.save(given)
    config = replace(quick, output=tmp_path / "run", split=replace(quick.split, file=given))
    Run(config, stages=DIVIDED).execute()
    before = (tmp_path / "run" / "split.json").read_bytes()
    Split(train=made.validation, validation=made.train, test=made.test).save(given)
    with pytest.raises(SplitError, match=r"the one that is asked for is another. Nothing was changed"):
        Run(config, stages=DIVIDED).execute()
    assert (tmp_path / "run" / "split.json").read_bytes() == before
    made.save(given)
    Run(config, stages=DIVIDED).execute()


def test_weights_that_are_missing_are_refused_before_anything_is_made(
    quick: RunConfig, tmp_path: Path
) -> None:
    for weights, says in (
        (None, "none are given"),
        ("nowhere.npz", "There is no folder nowhere.npz, expected a file or folder of weights"),
    ):
        config = replace(quick, output=tmp_path / "run", network=NetworkConfig("transunet", weights=weights))
        with pytest.raises(NetworkError, match=re.escape(says)):
            Run(config).execute()
    assert not list(tmp_path.rglob("*.tif"))
