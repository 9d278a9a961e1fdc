"""Writing a public data set as images/ and masks/: masks of several files or of polygons become one file."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image, ImageDraw

from s2s2.core.progress import Count
from s2s2.core.storage import atomic, claimed
from s2s2.core.tables import write_rows
from s2s2.core.types import LabelMap
from s2s2.data.catalogue.info import DatasetInfo
from s2s2.data.catalogue.locate import Located, Selection, locate
from s2s2.data.classes import ClassMap
from s2s2.data.files import image_header, read_mask_raw
from s2s2.data.problems import Problem, several
from s2s2.errors import DataError

_LARGEST_XML = 2**28
"""Bytes; the largest annotation of MoNuSeg has some megabytes."""


def convert(
    chosen: Selection, folder: Path, output: Path, *, progress: Count | None = None
) -> tuple[int, tuple[Problem, ...]]:
    """Write a data set of flat images as images/, masks/, groups.csv and classes.json.

    Images are copied byte by byte. A mask holds the class ids, as the new classes.json says. What was
    written already is not written again.

    Args:
        chosen: The data set, or domains of it.
        folder: Where it lies as it is distributed.
        output: The new folder.
        progress: Called with the number of cases done and of all cases.

    Returns:
        How many cases were written, and what was left out.

    Raises:
        DataError: If the folder does not hold it, it holds volumes, or a mask cannot be read.
        StorageError: If a file cannot be written.
    """
    info = chosen.info
    if not info.is_flat:
        raise DataError(
            f"{info.title} holds volumes or arrays; only flat images are written as images/ and masks/."
        )
    place = locate(chosen, folder)
    if errors := [problem for problem in place.problems if problem.level == "error"]:
        raise DataError(f"{folder} cannot be used. {several(errors)}")
    with claimed(output):
        for done, each in enumerate(place.cases, start=1):
            _write(each, info, output)
            if progress is not None:
                progress(done, len(place.cases))
        rows = ({"case": each.case.id, "group": each.case.group} for each in place.cases)
        write_rows(rows, output / "groups.csv", ("case", "group"))
        names = info.class_map.names
        ClassMap(names, tuple((number,) for number in range(len(names)))).save(output / "classes.json")
    return len(place.cases), place.problems


def _write(each: Located, info: DatasetInfo, output: Path) -> None:
    case = each.case
    image = output / "images" / f"{case.id}{case.image_path.suffix.lower()}"
    mask = output / "masks" / f"{case.id}.png"
    if not image.exists():
        with atomic(image) as temporary:
            shutil.copyfile(case.image_path, temporary)
    if not mask.exists():
        labels = _labels(each, info.class_map)
        with atomic(mask) as temporary:
            Image.fromarray(labels).save(temporary)


def _labels(each: Located, class_map: ClassMap) -> LabelMap:
    """Return the class ids of a case, shape (height, width)."""
    path = each.case.mask_path
    if path is None:
        raise DataError(f"Case {each.case.id} has no mask.")
    shape = image_header(each.case.image_path).shape
    if each.files.masks == "polygons":
        return polygons(path, shape)
    masks = sorted(path.glob("[!.]*")) if each.files.masks == "folder" else [path]
    labels = np.zeros(shape, np.uint8)
    for mask in masks:
        ids = class_map.encode(read_mask_raw(mask, class_map.palettes), source=mask)
        if ids.shape != shape:
            raise DataError(
                f"{mask} is {ids.shape} pixels (height, width), its image {shape}. Get the data again."
            )
        labels = np.maximum(labels, ids)
    return labels


def polygons(path: Path, shape: tuple[int, int]) -> LabelMap:
    """Draw the regions of an annotation of Aperio ImageScope, as MoNuSeg has them; 1 is inside.

    Args:
        path: XML with `Region` elements, each with the corners `Vertex` X and Y in pixels.
        shape: Height and width of the image.

    Returns:
        Shape (height, width); a pixel on an outline is inside.

    Raises:
        DataError: If the file cannot be read, or holds no region.
    """
    try:
        if path.stat().st_size > _LARGEST_XML:
            raise ValueError(f"it holds more than {_LARGEST_XML >> 20} MB")
        content = path.read_bytes()
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise ValueError("it defines entities")
        regions = list(ElementTree.fromstring(content).iter("Region"))
        outlines = [
            [(float(v.attrib["X"]), float(v.attrib["Y"])) for v in each.iter("Vertex")] for each in regions
        ]
    except (OSError, ValueError, KeyError, ElementTree.ParseError) as error:
        raise DataError(f"{path} cannot be read as outlines in XML ({error}). Get the file again.") from error
    if not outlines:
        raise DataError(f"{path} holds no Region, expected the outlines of objects. Get the file again.")
    picture = Image.new("L", (shape[1], shape[0]))
    pen = ImageDraw.Draw(picture)
    for outline in outlines:
        if len(outline) > 2:
            pen.polygon(outline, fill=1, outline=1)
    return np.asarray(picture)
