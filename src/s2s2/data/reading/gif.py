"""Reader of GIF files, in which some public data sets keep their masks."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image

from s2s2.data.reading.png_jpeg_bmp import palette_of
from s2s2.data.reading.reader import Decoded, Header, Reader, is_grey
from s2s2.errors import DataError

_FORMATS = ("GIF",)


def _header(file: BinaryIO) -> Header:
    with Image.open(file, formats=_FORMATS) as image:
        grey = image.mode != "P" or is_grey(palette_of(image))
        return Header((image.height, image.width), 1 if grey else 3, 8, palette=image.mode == "P")


def _decode(file: BinaryIO) -> Decoded:
    with Image.open(file, formats=_FORMATS) as image:
        if (frames := getattr(image, "n_frames", 1)) > 1:
            raise DataError(
                f"it is a GIF of {frames} pictures, expected one. Save each as a file of its own."
            )
        image.load()
        return Decoded(np.asarray(image), palette_of(image) if image.mode == "P" else None)


# Folders are not searched for it: a GIF among images is most often an animation.
GIF = Reader(_FORMATS, (), lambda start: start.startswith(b"GIF8"), _header, _decode)
