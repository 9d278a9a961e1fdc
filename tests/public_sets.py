"""Tiny files in the layouts that public data sets are distributed in, written out path by path."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.drawn import draw_case

DSB_A, DSB_B = "00071198d059ba7f" * 4, "003cee89357d9fe1" * 4


class Drawn(NamedTuple):
    """A case of a layout: paths, and what must be found."""

    image: str
    mask: str
    case: str
    group: str
    domain: str


LAYOUTS: dict[str, list[Drawn]] = {
    "kvasir-seg": [
        Drawn(f"images/{name}.jpg", f"masks/{name}.jpg", name, name, "kvasir-seg")
        for name in ("cju0qkwl35piu0993l0dewei2", "cju0qoxqj9q6s0835b43399p4", "cju0qx73cjw570799j4n5cjze")
    ],
    "cvc-clinicdb": [
        Drawn(f"Original/{n}.tif", f"Ground Truth/{n}.tif", str(n), group, "cvc-clinicdb")
        for n, group in ((1, "sequence1"), (25, "sequence1"), (26, "sequence2"), (612, "sequence29"))
    ],
    "polypgen": [
        Drawn(
            f"data_C{c}/images_C{c}/{name}.jpg",
            f"data_C{c}/masks_C{c}/{name}_mask.jpg",
            f"C{c}/{name}",
            f"C{c}/{name}",
            f"C{c}",
        )
        for c, name in (
            (1, "100H0050"),
            (1, "101H0010"),
            (2, "C2_EndoCV2021_0001"),
            (6, "EndoCV2021_C6_0100001"),
        )
    ],
    "isic2018": [
        Drawn(
            f"ISIC2018_Task1-2_{part}_Input/{name}.jpg",
            f"ISIC2018_Task1_{part}_GroundTruth/{name}_segmentation.png",
            f"{part}/{name}",
            f"{part}/{name}",
            "isic2018",
        )
        for part, name in (
            ("Test", "ISIC_0012169"),
            ("Training", "ISIC_0000000"),
            ("Training", "ISIC_0000001"),
            ("Validation", "ISIC_0012255"),
        )
    ],
    "ph2": [
        Drawn(
            f"PH2 Dataset images/{name}/{name}_Dermoscopic_Image/{name}.bmp",
            f"PH2 Dataset images/{name}/{name}_lesion/{name}_lesion.bmp",
            name,
            name,
            "ph2",
        )
        for name in ("IMD002", "IMD003", "IMD437")
    ],
    "drive": [
        Drawn("test/images/01_test.tif", "test/1st_manual/01_manual1.gif", "test/01", "test/01", "drive"),
        Drawn(
            "training/images/21_training.tif",
            "training/1st_manual/21_manual1.gif",
            "training/21",
            "training/21",
            "drive",
        ),
        Drawn(
            "training/images/22_training.tif",
            "training/1st_manual/22_manual1.gif",
            "training/22",
            "training/22",
            "drive",
        ),
    ],
    "chase-db1": [
        Drawn(f"Image_{name}.jpg", f"Image_{name}_1stHO.png", name, f"child{name[:2]}", "chase-db1")
        for name in ("01L", "01R", "14R")
    ],
}
"""The flat data sets with a mask file each, in the order of the case ids."""


def draw_public(root: Path, name: str, *, shape: tuple[int, int] = (36, 44)) -> dict[str, np.ndarray]:
    """Write a data set of `LAYOUTS`, and return the class ids of each mask by case id."""
    rng = np.random.default_rng(0)
    masks = {}
    for each in LAYOUTS[name]:
        image, mask = draw_case(rng, shape)
        save(root / each.image, image)
        save(root / each.mask, mask * np.uint8(255))
        masks[each.case] = mask
    return masks


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture in the format of its suffix; masks of PH2 and CHASE_DB1 have one bit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(pixels)
    if path.name.endswith(("_lesion.bmp", "_1stHO.png")):
        picture = picture.convert("1")
    picture.save(path, quality=95)


def draw_polyps(place: Path) -> None:
    """Write Kvasir-SEG, CVC-ClinicDB and three centres of PolypGen with enough cases to train with."""
    rng = np.random.default_rng(3)
    pairs = [(f"Kvasir-SEG/images/k{n}.jpg", f"Kvasir-SEG/masks/k{n}.jpg") for n in range(18)]
    pairs += [
        (f"CVC-ClinicDB/Original/{n}.tif", f"CVC-ClinicDB/Ground Truth/{n}.tif") for n in range(1, 613, 34)
    ]
    for centre, cases in (("C1", 18), ("C2", 2), ("C3", 2)):
        root = f"PolypGen/data_{centre}"
        pairs += [
            (f"{root}/images_{centre}/p{n}.jpg", f"{root}/masks_{centre}/p{n}_mask.jpg") for n in range(cases)
        ]
    for image_path, mask_path in pairs:
        image, mask = draw_case(rng, (40, 56))
        save(place / image_path, image)
        save(place / mask_path, mask * np.uint8(255))


def draw_nuclei(root: Path) -> dict[str, np.ndarray]:
    """Write one image of dsb2018 with a file a nucleus, and return the united masks by case id."""
    rng = np.random.default_rng(1)
    united = {}
    for case in (DSB_A, DSB_B):
        image, _ = draw_case(rng, (30, 40))
        save(root / "stage1_train" / case / "images" / f"{case}.png", image)
        whole = np.zeros((30, 40), np.uint8)
        for number, (row, column) in enumerate(((3, 4), (15, 20), (22, 2))):
            nucleus = np.zeros((30, 40), np.uint8)
            nucleus[row : row + 6, column : column + 5] = 255
            save(root / "stage1_train" / case / "masks" / f"{number:064x}.png", nucleus)
            whole |= nucleus // 255
        united[case] = whole
    save(root / "stage1_test" / DSB_A / "images" / f"{DSB_A}.png", image)
    return united


ANNOTATION = """<?xml version="1.0" ?>
<Annotations MicronsPerPixel="0.252000"><Annotation Id="1"><Regions>
<Region Id="1"><Vertices>
<Vertex X="2.0" Y="3.0" Z="0"/><Vertex X="12.0" Y="3.0" Z="0"/>
<Vertex X="12.0" Y="9.0" Z="0"/><Vertex X="2.0" Y="9.0" Z="0"/>
</Vertices></Region>
<Region Id="2"><Vertices>
<Vertex X="20.5" Y="10.0" Z="0"/><Vertex X="30.0" Y="25.0" Z="0"/><Vertex X="18.0" Y="22.0" Z="0"/>
</Vertices></Region>
</Regions></Annotation></Annotations>
"""
OUTLINES = (
    ((2.0, 3.0), (12.0, 3.0), (12.0, 9.0), (2.0, 9.0)),
    ((20.5, 10.0), (30.0, 25.0), (18.0, 22.0)),
)


def draw_tissue(root: Path) -> str:
    """Write one training image of monuseg with its annotation, and return the case id."""
    case = "TCGA-38-6178-01Z-00-DX1"
    image, _ = draw_case(np.random.default_rng(2), (30, 40))
    folder = root / "MoNuSeg 2018 Training Data"
    save(folder / "Tissue Images" / f"{case}.tif", image)
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / f"{case}.xml").write_text(ANNOTATION)
    return case
