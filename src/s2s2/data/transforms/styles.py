"""Random textures of an image: random convolutions and random intensity curves.

Everything here is elementwise numpy in float32, so that no result depends on the
number of threads.
"""

from __future__ import annotations

import numpy as np

from s2s2.core.types import Image

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
        layer = _mix_channels(layer, mixing.astype(np.float32))
        if wide:
            taps = (rng.standard_normal((2, out, 3)) / np.sqrt(3)).astype(np.float32)
            layer = _slide(_slide(layer, taps[0], -2), taps[1], -1)
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
    low = image.min()
    span = max(float(image.max() - low), NO_CONTRAST)
    places: Image = (image - low) * np.float32((len(curve) - 1) / span)
    rise = np.diff(curve)
    start = curve[:-1] - np.arange(len(rise), dtype=np.float32) * rise
    left = places.astype(np.intp)
    # "clip" puts the brightest pixel on the last line, and takes no time to look for indices out of bounds.
    places *= rise.take(left, mode="clip")
    places += start.take(left, mode="clip")
    return places


def standardised(image: Image) -> Image:
    """Return the image with mean 0 and standard deviation 1 over all pixels and channels."""
    centred: Image = image - image.mean()
    centred *= np.float32(1 / (np.sqrt(float(np.square(centred).mean())) + 1e-4))
    return centred


def _mix_channels(image: Image, mixing: Image) -> Image:
    """Return sums of the channels, weighted by the rows of a matrix."""
    mixed = np.empty((len(mixing), *image.shape[1:]), np.float32)
    product = np.empty(image.shape[1:], np.float32)
    for target, row in zip(mixed, mixing, strict=True):
        np.multiply(image[0], row[0], out=target)
        for channel, weight in zip(image[1:], row[1:], strict=True):
            np.multiply(channel, weight, out=product)
            target += product
    return mixed


def _slide(image: Image, taps: Image, axis: int) -> Image:
    """Return the correlation of each channel with three taps along one axis; the rim goes on outwards."""
    weights = taps[:, :, None, None]
    result: Image = image * weights[:, 1]
    turned, source = result.swapaxes(axis, -1), image.swapaxes(axis, -1)
    turned[..., 1:] += source[..., :-1] * weights[:, 0]
    turned[..., :1] += source[..., :1] * weights[:, 0]
    turned[..., :-1] += source[..., 1:] * weights[:, 2]
    turned[..., -1:] += source[..., -1:] * weights[:, 2]
    return result
