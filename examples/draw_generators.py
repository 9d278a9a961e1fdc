"""Draw one generator on masks of a demo: python examples/draw_generators.py appearance out.jpg [hospitals].

The demo is hospitals (colour) or nuclei (grey). A generator that learns is tuned first and its folder
given after it: `s2s2 tune`, then python examples/draw_generators.py diffusion out.jpg hospitals tuned.
The cases are the same for every generator.
"""

import sys
from pathlib import Path

from s2s2 import Dataset, Split, build_generator, split_by_group
from s2s2.pictures import SheetRow, displayed, draw_sheet, painted
from s2s2.pipeline.demo import HOSPITALS, NUCLEI

CASES, COPIES, SIZE = 3, 5, 160
DEMOS = {demo.name: demo for demo in (HOSPITALS, NUCLEI)}


def main(generator: str, output: str, demo: str = "hospitals", tuned: str = "", split_file: str = "") -> None:
    """Write one picture: a row for each case, the real image, its mask, then copies that nobody chose."""
    chosen = DEMOS[demo]
    home = Dataset.open(chosen.folder / chosen.home, size=SIZE)
    usual = split_by_group(home, counts=chosen.counts)
    split = Split.load(split_file) if split_file else usual
    maker = build_generator(generator)
    for part in maker.learners:
        part.place(Path(tuned))
    maker.fit(home, split)
    shown = [case for case in map(home.case, usual.train) if 0.04 < home.mask(case).mean() < 0.2][:CASES]
    rows = []
    for case in shown:
        copies = maker.sample(case, COPIES, seed=0)
        mask = painted(home.mask(case), home.class_map.colours)
        pictures = {"real image": displayed(home.image(case)), "mask": mask}
        pictures |= {f"copy {number}": displayed(copy) for number, copy in enumerate(copies)}
        rows.append(SheetRow(case.id, pictures))
    draw_sheet(rows, Path(output))


if __name__ == "__main__":
    main(*sys.argv[1:])
