"""Configuration of the random transforms: ranges that geometry, colour and artefacts are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from s2s2.errors import ConfigError

Range = tuple[float, float]


def check_range(owner: str, name: str, value: Range, low: float, high: float) -> None:
    """Refuse a range that is not two ascending numbers within [low, high].

    Args:
        owner: Class of the option, for the message.
        name: Option.
        value: Smallest and largest value that may be drawn.
        low: Smallest value that makes sense.
        high: Largest value that makes sense.

    Raises:
        ConfigError: If the range leaves [low, high] or is out of order.

    Example:
        >>> check_range("GeometryConfig", "scale", (0.8, 1.25), 0.1, 10)
    """
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ConfigError(
            f"{owner}.{name} must be two numbers in order within [{low:g}, {high:g}], got {value}. "
            f"Give the smallest and the largest value to draw; two equal numbers switch the drawing off."
        )


@dataclass(frozen=True)
class GeometryConfig:
    """Ranges of the random affine transforms; two equal numbers switch one off.

    Args:
        flip_horizontal: Probability of a left-right flip, 0 to 1.
        flip_vertical: Probability of an up-down flip, 0 to 1.
        rotation_degrees: Range of the rotation about the image's centre, -180 to 180.
        scale: Range of the magnification, 0.1 to 10; drawn evenly in its logarithm.
        shift: Range of the shift of each axis, as a share of the longer side, -1 to 1.
        foreground: Probability that a patch is centred on the foreground, 0 to 1.

    Raises:
        ConfigError: If a range or probability cannot be used.
    """

    flip_horizontal: float = 0.5
    flip_vertical: float = 0.5
    rotation_degrees: Range = (-30.0, 30.0)
    scale: Range = (0.8, 1.25)
    shift: Range = (-0.1, 0.1)
    foreground: float = 0.5

    def __post_init__(self) -> None:
        for name in ("flip_horizontal", "flip_vertical", "foreground"):
            probability = getattr(self, name)
            check_range("GeometryConfig", name, (probability, probability), 0, 1)
        check_range("GeometryConfig", "rotation_degrees", self.rotation_degrees, -180, 180)
        check_range("GeometryConfig", "scale", self.scale, 0.1, 10)
        check_range("GeometryConfig", "shift", self.shift, -1, 1)


UNCHANGED = GeometryConfig(0.0, 0.0, (0.0, 0.0), (1.0, 1.0), (0.0, 0.0), 0.0)
"""The geometry that only pads, for validation and for pictures of a stack."""


@dataclass(frozen=True)
class PhotometricConfig:
    """Ranges of the random changes of brightness and colour; two equal numbers switch one off.

    Args:
        brightness: Range of what is added, -1 to 1.
        contrast: Range of the factor about the image's mean, 0 to 10.
        gamma: Range of the exponent, 0.1 to 10; drawn evenly in its logarithm.
        saturation: Range of the factor about each pixel's grey, 0 to 10 (3 channels only).
        hue_degrees: Range of the rotation about the grey axis, -180 to 180 (3 channels only).

    Raises:
        ConfigError: If a range cannot be used.
    """

    brightness: Range = (-0.1, 0.1)
    contrast: Range = (0.75, 1.3)
    gamma: Range = (0.75, 1.3)
    saturation: Range = (0.6, 1.4)
    hue_degrees: Range = (-10.0, 10.0)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("brightness", -1, 1),
            ("contrast", 0, 10),
            ("gamma", 0.1, 10),
            ("saturation", 0, 10),
            ("hue_degrees", -180, 180),
        ):
            check_range("PhotometricConfig", name, getattr(self, name), low, high)


@dataclass(frozen=True)
class AcquisitionConfig:
    """Ranges of the random artefacts; two equal numbers at the harmless value switch one off.

    Args:
        probability: Probability of each artefact on its own, 0 to 1.
        blur_px: Range of the Gaussian's sigma in px on an image of 128 px, 0 to 20; it grows with the size.
        resolution: Range of the factor by which resolution is lost, 1 to 16.
        noise: Range of the standard deviation of the noise, 0 to 1.
        quality: Range of the JPEG quality, 1 to 100.
        vignette: Range of the light lost in the corners, 0 to 1.

    Raises:
        ConfigError: If a range or the probability cannot be used.
    """

    probability: float = 0.5
    blur_px: Range = (0.0, 2.0)
    resolution: Range = (1.0, 4.0)
    noise: Range = (0.0, 0.08)
    quality: Range = (15.0, 90.0)
    vignette: Range = (0.0, 0.5)

    def __post_init__(self) -> None:
        for name, low, high in (
            ("blur_px", 0, 20),
            ("resolution", 1, 16),
            ("noise", 0, 1),
            ("quality", 1, 100),
            ("vignette", 0, 1),
        ):
            check_range("AcquisitionConfig", name, getattr(self, name), low, high)
        check_range("AcquisitionConfig", "probability", (self.probability, self.probability), 0, 1)


@dataclass(frozen=True)
class SLAugConfig:
    """Settings of the arms with SLAug: location-scale augmentation and saliency-balancing fusion.

    Args:
        inverted: Probability that the intensity curve of a class falls in the local view, 0 to 1.
        inverted_background: The same of the background, 0 to 1.
        threshold: Pixels that are no brighter keep their value in the local view, 0 to 1.
        grid: Cells along each axis that the saliency is averaged in, at least 1; published are 3 for
            abdominal images and 18 for others.

    Raises:
        ConfigError: If a probability, the threshold or the grid cannot be used.

    Reference:
        Su et al., *Rethinking data augmentation for single-source domain generalization in
        medical image segmentation*, AAAI 2023, arXiv:2211.14805.
    """

    inverted: float = 0.5
    inverted_background: float = 1.0
    threshold: float = 0.01
    grid: int = 18

    def __post_init__(self) -> None:
        for name in ("inverted", "inverted_background", "threshold"):
            value = getattr(self, name)
            check_range("SLAugConfig", name, (value, value), 0, 1)
        if self.grid < 1:
            raise ConfigError(f"SLAugConfig.grid is a number of cells, at least 1, got {self.grid}.")
