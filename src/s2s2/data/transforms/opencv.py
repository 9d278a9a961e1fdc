"""OpenCV for the transforms: on one thread, and checked to read images and labels at the same place.

Pairs are made side by side by worker processes: threads of OpenCV would compete with them,
and a process that is forked from one with such threads can wait for them for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

from s2s2.core.types import Image
from s2s2.errors import ResourceError

__all__ = ["BILINEAR", "NEAREST", "by_channel", "cv2", "single"]

BILINEAR = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
"""How an image is read by `cv2.warpAffine`, whose matrix leads from the result to what is read."""
NEAREST = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
"""How labels are read."""


def single(image: Image) -> Image:
    """Return an image as OpenCV takes it, in single precision and row by row: itself, or a copy."""
    return np.ascontiguousarray(image, np.float32)


def by_channel(
    write: Callable[..., Any],
    image: Image,
    *others: Iterable[Any],
    shape: tuple[int, ...] | None = None,
) -> Image:
    """Return what OpenCV makes of each channel.

    Where the type or the layout of its target is another than that of its result, OpenCV writes elsewhere
    without a word, so both are the same here whatever image is given.

    Args:
        write: Called with a channel, its target and one of each of the others, writes into the target.
        image: (channel, height, width), of any type and layout.
        others: As many of each as there are channels.
        shape: Height and width of the result, None: those of the image.
    """
    result = np.empty((len(image), *(shape or image.shape[1:])), np.float32)
    for channel, target, *rest in zip(single(image), result, *others, strict=True):
        write(channel, target, *rest)
    return result


def reads_where_asked() -> bool:
    """Return whether `cv2.warpAffine` reads images within 0.001 px of the place, and labels at the same.

    Releases before 5.0 round places to 1/32 px, and 4.13 reads labels on the opposite side.
    """
    ramp = np.tile(np.arange(8, dtype=np.float32), (8, 1))
    read = [
        cv2.warpAffine(ramp, np.array([[1, 0, 2.01], [0, 1, 0]]), (4, 4), flags=f)
        for f in (BILINEAR, NEAREST)
    ]
    there = ramp[:4, 2:6]
    return bool(np.allclose(read[0], there + 0.01, atol=1e-3) and (read[1] == there).all())


cv2.setNumThreads(1)
if not reads_where_asked():
    raise ResourceError(
        f"{cv2.__file__} is OpenCV {cv2.__version__}, which does not read images and labels where it is "
        f"asked to. Releases before 5.0 do not; another package may have put one there. Run: pip uninstall "
        f"opencv-python opencv-python-headless; pip install 'opencv-python-headless>=5.0'."
    )
