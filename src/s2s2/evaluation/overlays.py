"""Label maps laid over their images, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from s2s2.core.types import Region
from s2s2.errors import ShapeError

# Width of an outline: one pixel up to this side, two at twice the side.
_SIDE_OF_ONE_PIXEL = 400


def draw_overlay(
    image: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    colours: Sequence[tuple[int, int, int]],
    *,
    tint: float = 0.25,
) -> npt.NDArray[np.uint8]:
    """Draw the classes over an image: a light tint, and a full outline inside each region.

    Args:
        image: Values in [0, 1]. One channel is drawn grey, three as RGB; of any
            other number the first is drawn grey.
        labels: Class ids; 0 is not drawn.
        colours: (red, green, blue) of each class id, 0 to 255.
        tint: How much of the colour lies over a region, in [0, 1].

    Shape:
        - image: (channel, height, width).
        - labels: (height, width).

    Returns:
        RGB of shape (height, width, 3).

    Raises:
        ShapeError: If image and labels differ in height or width.

    Example:
        >>> labels = np.zeros((8, 8), np.uint8)
        >>> labels[2:6, 2:6] = 1
        >>> picture = draw_overlay(np.zeros((1, 8, 8), np.float32), labels, [(0, 0, 0), (200, 100, 0)])
        >>> picture[2, 2].tolist(), picture[3, 3].tolist(), picture[0, 0].tolist()
        ([200, 100, 0], [50, 25, 0], [0, 0, 0])
    """
    if image.shape[1:] != labels.shape:
        raise ShapeError(
            f"Image and labels must have one height and width, got {image.shape[1:]} and {labels.shape}. "
            "Draw both on the original grid."
        )
    channels = image if image.shape[0] == 3 else np.repeat(image[:1], 3, axis=0)
    picture = np.moveaxis(channels, 0, -1) * 255.0
    for label in np.unique(labels[labels > 0]):
        region = labels == label
        colour = np.asarray(colours[label], dtype=np.float64)
        picture[region] = (1 - tint) * picture[region] + tint * colour
        picture[_outline(region)] = colour
    return np.round(picture).clip(0, 255).astype(np.uint8)


def _outline(region: Region) -> Region:
    """Return the pixels of a region that lie next to its outside."""
    from scipy.ndimage import binary_erosion

    width = max(1, round(max(region.shape) / _SIDE_OF_ONE_PIXEL))
    eroded: Region = binary_erosion(region, iterations=width)
    return region & ~eroded
