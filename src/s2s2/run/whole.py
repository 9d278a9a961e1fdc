"""Whether a finished run is whole: what is drawn from it must be what its stages left there."""

from __future__ import annotations

from itertools import chain

from s2s2.core.records import Record, recall_identities
from s2s2.errors import ConfigError, listed
from s2s2.run.folder import RunFolder

_RECORDS = (
    ".*.done.json",
    "arms/*/*/fit.json",
    "arms/*/*/.*.done.json",
    "generators/**/tuned.json",
    "stack/built.json",
    "stack/audit/*.json",
    "stacks/*/built.json",
    "stacks/*/audit/*.json",
)


def require_whole_run(folder: RunFolder) -> None:
    """Refuse a run of which a record or a recorded file was altered since it was finished.

    Raises:
        ConfigError: Each file that was altered is named.
    """
    recall_identities(folder.identities)
    for path in sorted(chain.from_iterable(map(folder.root.glob, _RECORDS))):
        altered = Record(path, {}, error=ConfigError).altered()
        if altered:
            raise ConfigError(
                f"{listed([f'{file} {words}' for file, words in altered.items()], '; ')}. Nothing was drawn. "
                "Give the same `s2s2 run` command again: it makes again what was altered."
            )
