"""OpenCV for the transforms: on one thread, and checked to read images and labels at the same place.

Pairs are made side by side by worker processes: threads of OpenCV would compete with them,
and a process that is forked from one with such threads can wait for them for ever.
"""

from __future__ import annotations

import cv2
import numpy as np

from s2s2.errors import ResourceError

__all__ = ["BILINEAR", "NEAREST", "cv2"]

BILINEAR = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
"""How an image is read by `cv2.warpAffine`, whose matrix leads from the result to what is read."""
NEAREST = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
"""How labels are read."""


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
