"""Random textures of an image: random convolutions and random intensity curves.

Everything here is float32 on one thread, so that no result depends on the number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from s2s2.core.types import Image
from s2s2.data.transforms.opencv import by_channel, cv2, single

LAYERS = 4
"""Layers of the random network, as in GIN."""
SLOPE = np.float32(0.01)
"""Slope of the leaky ReLU below 0, the usual one."""
BIAS = 0.3
"""Standard deviation of a layer's biases."""
KNOTS = 64
"""Points of an intensity curve; between them it is a straight line."""
NO_CONTRAST = 1e-3
"""An image whose standard deviation is below this shows nothing that a style could change."""


def random_convolution(image: Image, rng: np.random.Generator) -> Image:
    r"""Return the image after a shallow network with random weights, mixed with the image.

    $$x_{l+1} = \mathrm{leakyReLU}(K_l * (W_l x_l) + b_l), \qquad
        \text{result} = a\,\bar{x}_L + (1 - a)\,\bar{x}_0, \quad a \sim U(0, 1),$$

    with $\bar{x}$ standardised over all pixels and channels, $W_l$ a matrix that mixes the
    channels and $K_l$ a kernel for each channel, of 1 or of 3 x 3 pixels by chance. The kernel
    is the product of a column and a row, which costs a third of a full one.

    Args:
        image: Any range.
        rng: Where all chance comes from.

    Shape:
        - image: (channel, height, width).
        - returns: as `image`, standardised: mean about 0, standard deviation about 1.

    Reference:
        Xu et al., *Robust and generalizable visual representation learning via random
        convolutions*, ICLR 2021 (one layer, the share of the image); Ouyang et al.,
        *Causality-inspired single-source domain generalization for medical image
        segmentation*, IEEE TMI 2023 (four layers, kernels of 1 and 3).
    """
    start = standardised(image)
    channels = len(image)
    hidden = max(2, min(4, channels + 1))
    layer = start
    for number in range(LAYERS):
        last = number == LAYERS - 1
        out = channels if last else hidden
        wide = bool(rng.random() < 0.5)
        mixing = rng.standard_normal((out, len(layer))) / np.sqrt(len(layer))
        layer = mix_channels(layer, mixing.astype(np.float32))
        if wide:
            taps = (rng.standard_normal((2, out, 3)) / np.sqrt(3)).astype(np.float32)
            layer = _filtered(layer, *taps)
        layer += (BIAS * rng.standard_normal((out, 1, 1))).astype(np.float32)
        if not last:
            np.maximum(layer, SLOPE * layer, out=layer)
    share = np.float32(rng.random())
    mixed = standardised(layer)
    mixed *= share
    mixed += (1 - share) * start
    return mixed


def random_curve(rng: np.random.Generator, inverted: bool, *, ordered: bool = True) -> Image:
    r"""Return the values of a random monotone curve from 0 to 1 at `KNOTS` even places.

    A cubic Bezier curve whose inner control points $(x_1, y_1), (x_2, y_2)$ are even on the
    unit square, each pair in rising order:
    $p(t) = 3(1-t)^2 t\,p_1 + 3(1-t)t^2\,p_2 + t^3$.
    In any order of the pair it rises, since $p'(t) / 3 \ge (1 - 2t)^2$ on the unit square.

    Args:
        rng: Where all chance comes from.
        inverted: Whether it falls instead, so that dark becomes bright.
        ordered: Whether each pair is put in rising order; without, curves have steeper and flatter parts.

    Shape:
        - returns: (KNOTS,) in [0, 1].

    Reference:
        Zhou et al., *Models Genesis*, MICCAI 2019; Su et al., *Rethinking data
        augmentation for single-source domain generalization in medical image
        segmentation* (SLAug), AAAI 2023.
    """
    points = rng.random((2, 2))
    across, up = np.sort(points, axis=1) if ordered else points
    t = np.linspace(0, 1, 4 * KNOTS, dtype=np.float32)
    first, second, third = 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
    places, heights = (first * low + second * high + third for low, high in (across, up))
    places = np.maximum.accumulate(places)  # flat parts rise but for rounding
    curve: Image = np.interp(np.linspace(0, 1, KNOTS), places, heights).astype(np.float32)
    return curve[::-1].copy() if inverted else curve


def bend(image: Image, curve: Image) -> Image:
    """Return the image with every intensity, from its darkest to its brightest, put through a curve.

    Shape:
        - image: (channel, height, width), any range.
        - curve: (knots,).
        - returns: as `image`, in the range of the curve.
    """
    return next(bends(image, [curve]))


def bends(image: Image, curves: Iterable[Image]) -> Iterator[Image]:
    """Yield the image put through each of these curves, all of `KNOTS` points, as `bend` does."""
    low = image.min()
    span = max(float(image.max() - low), NO_CONTRAST)
    places: Image = (image - low) * np.float32((KNOTS - 1) / span)
    left = places.astype(np.intp)
    for curve in curves:
        rise = np.diff(curve)
        start = curve[:-1] - np.arange(len(rise), dtype=np.float32) * rise
        # "clip" puts the brightest pixel on the last line, and does not look for indices out of bounds.
        bent: Image = rise.take(left, mode="clip")
        bent *= places
        bent += start.take(left, mode="clip")
        yield bent


def standardised(image: Image) -> Image:
    """Return the image with mean 0 and standard deviation 1 over all pixels and channels."""
    mean, deviation = moments(image)
    factor = 1 / (deviation + 1e-4)
    result: Image = image * np.float32(factor)
    result -= np.float32(mean * factor)
    return result


def moments(image: Image) -> tuple[float, float]:
    """Return mean and standard deviation over all pixels and channels, summed in double precision."""
    flat = single(image).reshape(1, -1)
    mean = cv2.mean(flat)[0]
    square = cv2.norm(flat, cv2.NORM_L2SQR) / flat.size
    return mean, math.sqrt(max(0.0, square - mean**2))


def mix_channels(image: Image, mixing: Image) -> Image:
    """Return sums of the channels, weighted by the rows of a matrix.

    A matrix product would start the threads of BLAS, in every worker process.
    """
    image = single(image)
    mixed = np.empty((len(mixing), *image.shape[1:]), np.float32)
    for target, (first, *others) in zip(mixed, mixing.tolist(), strict=True):
        np.multiply(image[0], np.float32(first), out=target)
        for channel, weight in zip(image[1:], others, strict=True):
            cv2.scaleAdd(channel, weight, target, target)
    return mixed


def _filtered(image: Image, down: Image, across: Image) -> Image:
    """Correlate each channel with its column and its row of taps; the rim goes on outwards."""
    return by_channel(
        lambda channel, target, column, row: cv2.sepFilter2D(
            channel, cv2.CV_32F, row, column, target, borderType=cv2.BORDER_REPLICATE
        ),
        image,
        down,
        across,
    )
