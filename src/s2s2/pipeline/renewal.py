"""Changes of the data between two calls of a run: what follows from them is made again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from s2s2.core.records import Record
from s2s2.core.storage import storage_errors
from s2s2.data.identity import changed, contents
from s2s2.errors import DataError, listed
from s2s2.pipeline.stage import Context

_LEARNT = "stack, judges, trainings"
_CHOSEN = "trainings"
_TESTED = "predictions and scores"


def renew(context: Context) -> None:
    """Remove what was made of data that have changed since the last call, and say so in one line.

    Call it after the check and before anything is made: files that are gone or cases without a
    part are found there.

    Raises:
        DataError: If there are home cases that this run did not divide.
    """
    folder = context.folder
    now = {domain: contents(dataset) for domain, dataset in _domains(context).items()}
    record = Record(folder.learnt_from, {})
    # One that cannot be read is none: the record of each artefact names its data too.
    before: dict[str, Any] = {} if record.is_unreadable else record.content().get("domains", {})
    _refuse_more(context, before, now)
    for domain in before.keys() & now.keys():
        found = changed(before[domain], now[domain])
        more = (
            [] if domain == context.data.home.domain else sorted(now[domain].keys() - before[domain].keys())
        )
        if found or more:
            again, paths = _follows(context, domain, found)
            context.reporter.stage("changed", f"{_words(domain, found, more)}: {again} are made again")
            with storage_errors(folder.root):
                for path in paths:
                    if path.is_symlink():
                        path.unlink()
                    elif path.exists():
                        shutil.rmtree(path)
    record.finish({"domains": now})


def _domains(context: Context) -> dict[str, Any]:
    return {context.data.home.domain: context.data.home, **context.data.away}


def _follows(context: Context, domain: str, found: Mapping[str, str]) -> tuple[str, list[Path]]:
    """Return in words what follows from these cases, and the folders that it lies in."""
    folder, split = context.folder, context.split
    arms = folder.root / "arms"
    if domain == context.data.home.domain and found.keys() & {*split.train}:
        return _LEARNT, [*(folder.stack, folder.root / "stacks", folder.judges, folder.generators, arms)]
    if domain == context.data.home.domain and found.keys() & {*split.validation}:
        return _CHOSEN, [arms]
    return _TESTED, []  # Their records name each image and mask.


def _words(domain: str, found: Mapping[str, str], more: list[str]) -> str:
    """Say what has changed."""
    words = []
    for what in sorted(set(found.values())):
        ids = [case_id for case_id, names in found.items() if names == what]
        words.append(f"{len(ids)} {what}{'s' * (len(ids) > 1)} of {domain} changed since ({listed(ids)})")
    if more:
        words.append(f"{len(more)} case{'s' * (len(more) > 1)} of {domain} added ({listed(more)})")
    return ", ".join(words)


def _refuse_more(context: Context, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse home cases that were not there when the run divided them."""
    home = context.data.home.domain
    more = sorted(now[home].keys() - before.get(home, now[home]).keys())
    if more:
        raise DataError(
            f"{context.config.data} has {len(more)} case{'s' * (len(more) > 1)} that were not there when "
            f"the run {context.folder.root} divided its cases: {listed(more)}. They are in no part of its "
            "split.json, and to divide again would mix training and test cases. Nothing was changed. To use "
            "them, run again with another --output; to go on without them, move them out of the data."
        )
