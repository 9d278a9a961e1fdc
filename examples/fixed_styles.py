"""Write the test cases of a grey data set in two fixed styles: inverted, and lit from one side.

python examples/fixed_styles.py DATA split.json OUTPUT

DATA is a data set of grey images of 8 bits, split.json is from `s2s2 split`. OUTPUT/inverted and
OUTPUT/side_light are data sets of the same masks and groups, to test on: a stand-in for other scanners
where there are none.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from s2s2 import Dataset, Split


def main(data: str, split: str, output: str) -> None:
    """Write both data sets."""
    dataset = Split.load(split).testing(Dataset.open(data, channels=1))
    for name, style in {"inverted": inverted, "side_light": side_light}.items():
        root, rows = Path(output) / name, ["image,mask,case,group"]
        for folder in ("images", "masks"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for number, case in enumerate(dataset):
            if case.mask_path is None:
                raise SystemExit(f"{case.id} has no mask.")
            image, mask = f"images/{number:04d}.png", f"masks/{number:04d}{case.mask_path.suffix}"
            pixels = np.rint(style(dataset.image(case)[0]) * 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / image)
            (root / mask).write_bytes(case.mask_path.read_bytes())
            rows.append(f"{image},{mask},{case.id},{case.group}")
        (root / "cases.csv").write_text("\n".join(rows) + "\n")


def inverted(image: np.ndarray) -> np.ndarray:
    """Return dark for bright."""
    return 1 - image


def side_light(image: np.ndarray) -> np.ndarray:
    """Return the square root, brighter towards the upper right."""
    rows, columns = np.mgrid[0 : 1 : image.shape[0] * 1j, 0 : 1 : image.shape[1] * 1j]
    return np.clip(np.sqrt(image) * (0.45 + 0.75 * (0.6 * columns + 0.4 * (1 - rows))), 0, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
