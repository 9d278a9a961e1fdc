"""Draw images of the demo data with copies of their stack: python examples/draw_a_stack.py stack.jpg."""

import sys
from pathlib import Path

from s2s2 import Dataset, build_generator, split_by_group
from s2s2.pictures import SheetRow, displayed, draw_sheet
from s2s2.pipeline.demo import HOSPITALS
from s2s2.run.config import StackConfig

CASES, COPIES, SIZE = 3, 6, 192


def main(path: str) -> None:
    """Write one picture: a row for each case, the real image first, then its copies."""
    paris = Dataset.open(HOSPITALS.folder / HOSPITALS.home, size=SIZE)
    split = split_by_group(paris, counts=(50, 20, 130))
    generator = build_generator(StackConfig().generator).fit(paris, split)
    chosen = [case for case in map(paris.case, split.train) if 0.04 < paris.mask(case).mean() < 0.2][:CASES]
    rows = []
    for case in chosen:
        copies = generator.sample(case, COPIES, seed=0)
        pictures = {"real image": displayed(paris.image(case))}
        pictures |= {f"copy {number}": displayed(copy) for number, copy in enumerate(copies)}
        rows.append(SheetRow(case.id, pictures))
    draw_sheet(rows, Path(path))


if __name__ == "__main__":
    main(sys.argv[1])
