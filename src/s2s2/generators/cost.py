"""What tuning and sampling cost, before they start."""

from __future__ import annotations

from dataclasses import dataclass

from s2s2.core.timing import duration


@dataclass(frozen=True)
class Cost:
    """What a generator that learns takes on this machine.

    Args:
        tuning_s: The whole tuning, in s.
        image_s: A sample, in s.
    """

    tuning_s: float
    image_s: float

    def words(self, images: int) -> str:
        """Return both in words.

        Example:
            >>> Cost(7200, 0.5).words(1000)
            'tuning about 2 h 0 min, 1000 images about 8 min 20 s'
        """
        return (
            f"tuning about {duration(self.tuning_s)}, {images} images about {duration(images * self.image_s)}"
        )
