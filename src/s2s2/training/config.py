"""Settings of a training, stored beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from s2s2.core.engine.config import OptimisationConfig
from s2s2.data.transforms.config import AcquisitionConfig, GeometryConfig, PhotometricConfig, SLAugConfig
from s2s2.errors import ConfigError


@dataclass(frozen=True)
class TrainConfig(OptimisationConfig):
    """Settings of one training.

    Args:
        images_per_step: Images that the network sees a step, real and synthetic
            together; even. Arms with pairs take half as many cases; `slaug+s2s2` takes a third,
            and needs a multiple of 6.
        optimiser: `adamw`, `adam` (weight decay as part of the gradient) or `sgd` (momentum 0.9).
        schedule: Of the learning rate. `cosine` and `polynomial` (exponent 0.9) fall to zero at the last
            step, `plateau` halves it after 10 validations without a gain and has no warm-up, `constant`
            keeps it.
        warmup: Share of the steps over which the learning rate rises, 0 to 1.
        dice: Weight of the soft Dice in the segmentation loss.
        cross_entropy: Weight of the cross-entropy in it.
        validations: How often the validation split is scored, spread evenly; the
            best of these networks is kept.
        stressed: Versions of every validation image in strong random styles and of less quality, the same
            in all arms. The best network has the best mean of the Dice on the images as they are and on
            these; 0 chooses by the images as they are.
        patch: Side of the square crops in pixels, a multiple of 32; None trains on whole images.
        w_syn: Weight of the segmentation loss on the second view.
        alpha_enc: Weight of the encoder features' consistency.
        alpha_dec: Weight of the decoder features' consistency.
        distance: Between features; `cosine` is the published one.
        weighting: `class` gives every class of the mask the same say in the distance.
        forward_pass: `joint` sends both views through the network as one batch,
            `separate` one after the other, as published.
        marked: What becomes of copies that an audit has marked: `leave-out` draws others
            in their place, `mask` also ignores the pixels that the audit disputes, `keep`
            takes them as they are.
        as_published: Let every arm take half of `images_per_step` cases a step, whatever it shows of each, as
            papers do: the baseline sees half as many images.
        geometry: Flips, rotation, scale and shift, shared by both views and the mask.
        photometric: Brightness, contrast, gamma and colour, drawn for each view.
        acquisition: Blur, noise, resolution, compression and vignette over one view.
        slaug: Location-scale views and saliency of the arms `slaug` and `slaug+s2s2`, whose real images have
            these in the place of `photometric`.
    """

    OPTION: ClassVar[str] = "--train."
    LEAST: ClassVar[Mapping[str, float]] = {
        **OptimisationConfig.LEAST,
        "validations": 1,
        "stressed": 0,
        **dict.fromkeys(("w_syn", "alpha_enc", "alpha_dec", "dice", "cross_entropy"), 0),
    }

    images_per_step: int = 24
    optimiser: Literal["adamw", "adam", "sgd"] = "adamw"
    schedule: Literal["cosine", "polynomial", "plateau", "constant"] = "cosine"
    warmup: float = 0.05
    dice: float = 1.0
    cross_entropy: float = 1.0
    validations: int = 10
    stressed: int = 2
    patch: int | None = None
    w_syn: float = 1.0
    alpha_enc: float = 0.4
    alpha_dec: float = 0.0
    distance: Literal["cosine", "angular", "l1", "l2"] = "cosine"
    weighting: Literal["class"] | None = None
    forward_pass: Literal["joint", "separate"] = "joint"
    marked: Literal["keep", "leave-out", "mask"] = "leave-out"
    as_published: bool = False
    geometry: GeometryConfig = field(default_factory=GeometryConfig)
    photometric: PhotometricConfig = field(default_factory=PhotometricConfig)
    acquisition: AcquisitionConfig = field(default_factory=AcquisitionConfig)
    slaug: SLAugConfig = field(default_factory=SLAugConfig)

    def __post_init__(self) -> None:
        """Refuse what cannot work, by the name of the option."""
        super().__post_init__()
        if self.images_per_step < 2 or self.images_per_step % 2:
            raise ConfigError(
                f"--train.images_per_step must be even and at least 2, got {self.images_per_step}: "
                "a pair is two images."
            )
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"--train.warmup is a share of the steps in [0, 1), got {self.warmup}.")
        if self.patch is not None and (self.patch < 32 or self.patch % 32):
            raise ConfigError(f"--train.patch must be a multiple of 32, got {self.patch}.")
        if not self.dice + self.cross_entropy > 0:
            raise ConfigError(
                "--train.dice and --train.cross_entropy are both 0, so there is no segmentation loss. Give "
                "one of them a weight."
            )

    @property
    def interval(self) -> int:
        """Steps from one validation to the next."""
        return max(1, self.steps // self.validations)

    def batches_of(self, epoch: int) -> range:
        """Return the numbers of the batches of an interval; the last may go beyond `steps`."""
        return range(epoch * self.interval, (epoch + 1) * self.interval)
