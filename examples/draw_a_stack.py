"""Draw images of the demo data with copies of their stack: python examples/draw_a_stack.py stack.jpg."""

import sys

import numpy as np
from PIL import Image, ImageDraw

from s2s2 import Dataset, build_generator, split_by_group
from s2s2.pipeline.demo import HOME, demo_folder

CASES, COPIES, SIZE, GAP = 3, 6, 192, 6


def main(path: str) -> None:
    """Write one picture: a row a case, the real image first, then its copies."""
    paris = Dataset.open(demo_folder() / HOME, size=SIZE)
    split = split_by_group(paris, counts=(50, 20, 130))
    generator = build_generator("composite+appearance(extrapolate=0.3)+boxes").fit(paris, split)
    chosen = [case for case in map(paris.case, split.train) if 0.04 < paris.mask(case).mean() < 0.2][:CASES]
    width, height = SIZE + GAP, max(paris.mask(case).shape[0] for case in chosen) + GAP
    sheet = Image.new("RGB", ((1 + COPIES) * width + GAP, CASES * height - GAP), "white")
    for row, case in enumerate(chosen):
        pictures = [paris.image(case), *generator.sample(case, COPIES, seed=0)]
        for column, picture in enumerate(pictures):
            pixels = (255 * picture.transpose(1, 2, 0)).round().astype(np.uint8)
            left = column * width + (GAP if column else 0)
            sheet.paste(Image.fromarray(pixels), (left, row * height))
    ImageDraw.Draw(sheet).line([(width - 1, 0), (width - 1, sheet.height)], fill="black", width=2)
    sheet.save(path, quality=88)


if __name__ == "__main__":
    main(sys.argv[1])
