"""An audit in a process of its own, to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from s2s2.audit import Segmenters, run_audit
from s2s2.data import Dataset, split_by_group
from s2s2.stack import Stack
from tests.audit.made import QUICK


def tell(done: int, total: int, words: str) -> None:
    sys.stdout.write(f"{words} {done}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    site, path, judges = map(Path, sys.argv[1:])
    dataset = Dataset.open(site, size=32)
    split = split_by_group(dataset, fractions=(0.8, 0.1, 0.1))
    run_audit(
        Stack.open(path),
        dataset,
        split,
        config=QUICK,
        segmenters=Segmenters.fit(dataset.subset(split.train), judges, QUICK),
        progress=tell,
    )
