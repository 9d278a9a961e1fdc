"""Draw one generator on masks of the demo data: python examples/draw_generators.py appearance out.jpg.

A generator that learns is tuned first and its folder given: `s2s2 tune`, then
python examples/draw_generators.py diffusion out.jpg tuned. The cases are the same for every generator.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from s2s2 import Dataset, Split, build_generator, split_by_group
from s2s2.generators.protocol import tunables
from s2s2.pipeline.demo import HOME, demo_folder

CASES, COPIES, SIZE, GAP = 3, 5, 160, 5


def main(generator: str, output: str, tuned: str = "", split_file: str = "") -> None:
    """Write one picture: a row a case, the real image, its mask, then copies that nobody chose."""
    paris = Dataset.open(demo_folder() / HOME, size=SIZE)
    usual = split_by_group(paris, counts=(50, 20, 130))
    split = Split.load(split_file) if split_file else usual
    maker = build_generator(generator)
    for part in tunables(maker):
        part.place(Path(tuned))
    maker.fit(paris, split)
    shown = [case for case in map(paris.case, usual.train) if 0.04 < paris.mask(case).mean() < 0.2][:CASES]
    width, height = SIZE + GAP, max(paris.mask(case).shape[0] for case in shown) + GAP
    sheet = Image.new("RGB", ((2 + COPIES) * width + GAP, CASES * height - GAP), "white")
    for row, case in enumerate(shown):
        mask = np.repeat((paris.mask(case) > 0)[None].astype(np.float32), 3, axis=0)
        for column, picture in enumerate([paris.image(case), mask, *maker.sample(case, COPIES, seed=0)]):
            pixels = (255 * picture.transpose(1, 2, 0)).round().astype(np.uint8)
            left = column * width + (GAP if column > 1 else 0)
            sheet.paste(Image.fromarray(pixels), (left, row * height))
    sheet.save(output, quality=84)


if __name__ == "__main__":
    main(*sys.argv[1:])
