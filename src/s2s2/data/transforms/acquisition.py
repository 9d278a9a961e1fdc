"""Random acquisition artefacts: vignette, blur, loss of resolution, noise and JPEG compression.

A copy that is made of real pixels is as sharp as they are, and a network that sees
nothing else may rely on that. So one of the two images of a pair gets these artefacts,
in the order in which they arise in a camera.
"""

from __future__ import annotations

import math

import imagecodecs
import numpy as np

from s2s2.core.types import Image, Region
from s2s2.data.transforms.config import AcquisitionConfig
from s2s2.data.transforms.opencv import by_channel, cv2
from s2s2.errors import ConfigError


class Acquisition:
    """Random acquisition artefacts, applied to an image.

    Args:
        config: Ranges to draw from.
        size: Longer side of the working grid in px, which the blur is measured
            against; None takes the longer side of each image. Give it when the
            images are patches.

    Raises:
        ConfigError: If `size` is not positive.

    Example:
        >>> image = np.random.default_rng(0).random((3, 32, 32), dtype=np.float32)
        >>> worse = Acquisition(AcquisitionConfig(probability=1.0))(image, np.random.default_rng(1))
        >>> worse.shape, bool(worse.min() >= 0), bool(worse.max() <= 1)
        ((3, 32, 32), True, True)
    """

    def __init__(self, config: AcquisitionConfig | None = None, size: int | None = None) -> None:
        if size is not None and size < 1:
            raise ConfigError(
                f"size must be at least 1 px or None, got {size}. Give the size of the working grid."
            )
        self.config = config or AcquisitionConfig()
        self.size = size

    def __call__(self, image: Image, rng: np.random.Generator, inside: Region | None = None) -> Image:
        """Return a new image: `image` with the artefacts that were drawn.

        Args:
            image: Values in [0, 1].
            rng: Stream of this view.
            inside: Where the image is not padding; the padding stays 0. None: everywhere.

        Shape:
            - image: (channel, height, width).
            - inside: (height, width).
        """
        config = self.config
        drawn = rng.random(5) < config.probability
        changed = image
        if drawn[0]:
            changed = vignette(changed, rng.uniform(*config.vignette))
        if drawn[1]:
            sigma = rng.uniform(*config.blur_px) * (self.size or max(image.shape[1:])) / 128
            changed = blur(changed, sigma)
        if drawn[2]:
            changed = lose_resolution(changed, rng.uniform(*config.resolution))
        if drawn[3]:
            changed = add_noise(changed, rng.uniform(*config.noise), rng)
        if drawn[4]:
            changed = compress(changed, round(rng.uniform(*config.quality)))
        if changed is image:
            changed = image.copy()
        if inside is not None:
            changed *= inside.astype(np.float32)
        return changed


def vignette(image: Image, strength: float) -> Image:
    """Darken by up to `strength`, growing with the square of the distance from the centre.

    Example:
        >>> dark = vignette(np.ones((1, 3, 3), np.float32), 0.5)
        >>> float(dark[0, 1, 1]), float(dark[0, 0, 0])
        (1.0, 0.5)
    """
    rows, columns = (np.linspace(-1, 1, length, dtype=np.float32) ** 2 for length in image.shape[1:])
    return image * (1 - np.float32(strength / 2) * (rows[:, None] + columns))


def blur(image: Image, sigma: float) -> Image:
    """Blur with a Gaussian of `sigma` px, cut off at 4 sigma; beyond the border its last pixel goes on.

    Example:
        >>> bool(np.allclose(blur(np.ones((1, 5, 7), np.float32), 2.0), 1))
        True
    """
    if sigma < 0.1:
        return image
    return by_channel(
        lambda channel, target: cv2.GaussianBlur(
            channel, (0, 0), sigma, target, borderType=cv2.BORDER_REPLICATE
        ),
        image,
    )


def lose_resolution(image: Image, factor: float) -> Image:
    """Make the pixels `factor` times as large, each the mean of its area, and bring them back, bilinear.

    Example:
        >>> bool(np.allclose(lose_resolution(np.ones((3, 9, 12), np.float32), 3.0), 1))
        True
    """
    fine = image.shape[:0:-1]  # OpenCV's order: width, height
    coarse = [max(1, round(length / factor)) for length in fine]

    def coarsen(channel: Image, target: Image) -> None:
        smaller = cv2.resize(channel, coarse, interpolation=cv2.INTER_AREA)
        cv2.resize(smaller, fine, target, interpolation=cv2.INTER_LINEAR)

    return by_channel(coarsen, image)


def add_noise(image: Image, deviation: float, rng: np.random.Generator) -> Image:
    """Add noise of this standard deviation, independent for each pixel and channel, and clip to [0, 1].

    Each number is the sum of four random bytes: normal but for its tails, which end
    at 3.45 deviations, and made in a quarter of the time.

    Example:
        >>> grey = np.full((1, 64, 64), 0.5, np.float32)
        >>> bool(abs(add_noise(grey, 0.1, np.random.default_rng(0)).std() - 0.1) < 0.005)
        True
    """
    count = image.size
    raw = rng.bit_generator.random_raw((count + 1) // 2).astype("<u8", copy=False)
    first, *others = raw.view(np.uint8)[: 4 * count].reshape(4, count)
    total = first.astype(np.uint16)
    for part in others:
        total += part
    noisy = total.astype(np.float32).reshape(image.shape)
    # A byte is even on 0..255: mean 127.5, variance (256^2 - 1) / 12.
    noisy -= np.float32(4 * 127.5)
    noisy *= np.float32(deviation / math.sqrt(4 * (256**2 - 1) / 12))
    noisy += image
    return np.clip(noisy, 0, 1, out=noisy)


def compress(image: Image, quality: int) -> Image:
    """Compress and decompress the image as JPEG: in colour for 3 channels, else each channel as grey.

    Args:
        image: Values in [0, 1], (channel, height, width); it leaves in 256 steps.
        quality: JPEG quality, 1 to 100.

    Example:
        >>> compress(np.full((5, 8, 8), 0.5, np.float32), 80).shape
        (5, 8, 8)
    """
    scaled = image * np.float32(255)
    scaled += np.float32(0.5)
    steps = scaled.astype(np.uint8)
    # Stacking channel by channel takes a third of the time of a transposed copy.
    pictures = [np.dstack(list(steps))] if len(steps) == 3 else list(steps)
    decoded = [
        imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(picture, level=quality)) for picture in pictures
    ]
    joined = np.ascontiguousarray(decoded[0].transpose(2, 0, 1)) if len(steps) == 3 else np.stack(decoded)
    unit = joined.astype(np.float32)
    unit *= np.float32(1 / 255)
    return unit
