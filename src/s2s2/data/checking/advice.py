"""Advice on the stack from the images of home and of other sites alone; no mask is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from s2s2.core.types import Floats
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.data.files import in_threads, read_joined_raw
from s2s2.data.grid import to_unit
from s2s2.errors import DataError

MOST, FEWEST = 64, 4
"""Images of a site that are looked at, evenly spread over its cases; of fewer nothing is said."""
COLOURFUL = 0.04
"""Difference of the largest and the smallest channel, as a share of the largest, from which on an image is in
colour: grey images in colour files have 0 or little more, pale stains 0.05, photographs of tissue 0.15 and
more."""
SHARE = 0.75
"""Share of a site's images that must be in colour, or grey, for the site to be so."""
STEP, RATIO, SPREADS = 0.2, 1.5, 1.5
"""How far two sites must lie apart: their mean brightness in units of the range 0 to 1, their mean contrast
as a ratio, and both in mean standard deviations between the images of a site. Six data sets of
colonoscopy and two of the retina lie 0.14 and a ratio of 1.25 apart at most, and between those of
colonoscopy random styles gained nothing. Fluorescent and stained nuclei, where they gained most, lie
0.6 and a ratio of 2 apart."""
_NOTHING = 1e-6
FITTING = "randconv"
"""The generator of random styles."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the images of a site look like, one entry an image: brightness, contrast, colour."""

    brightness: Floats
    contrast: Floats
    colour: Floats

    @classmethod
    def of(cls, dataset: Dataset) -> _Seen:
        step = max(1, -(-len(dataset) // MOST))
        found = in_threads(lambda case: _look(case, dataset.channels), dataset.cases[::step])
        rows = np.array([row for row in found if row is not None]).reshape(-1, 3)
        return cls(*rows.T)

    @property
    def kind(self) -> str:
        """In colour, grey, or neither as a whole."""
        share = float((self.colour >= COLOURFUL).mean())
        return "in colour" if share >= SHARE else "grey" if share <= 1 - SHARE else ""


def advise(home: Dataset, away: Mapping[str, Dataset], generators: Collection[str]) -> tuple[str, ...]:
    """Say for each site whether its images clearly differ from those at home, and what fits then.

    Compared are colour or grey, brightness and contrast, of 64 images of a site at most, as the
    network is shown them. Where a stack of random styles is made already, nothing is said.

    Args:
        home: The images that are learnt from.
        away: The images of other sites by name.
        generators: Specifications of the generators in use.

    Returns:
        One sentence, with what follows from it, for each site that differs.
    """
    if any(FITTING in spec for spec in generators):
        return ()
    at_home = _Seen.of(home)
    sites = {name: _differences(at_home, _Seen.of(dataset)) for name, dataset in away.items()}
    return tuple(
        f"Images of {name} are {words}. A stack with random styles fits: the default, or any with {FITTING}. "
        f"(From the images alone; no mask of {name} was used.)"
        for name, words in sites.items()
        if words
    )


def _look(case: Case, channels: int) -> tuple[float, float, float] | None:
    """Return brightness, contrast and colour of an image, or None where it cannot be read."""
    try:
        pixels = read_joined_raw(case.files, channels)
    except DataError:
        return None
    # Every so many pixels are enough, and nothing is smoothed.
    step = max(1, max(pixels.shape[1:]) // 128)
    image = to_unit(pixels[:, ::step, ::step])
    grey = image.mean(axis=0)
    colour = 0.0
    if channels == 3 and not case.parts:  # modalities and neighbouring slices are no colours
        # Relative to the brightness: colours in a dark image are colours too.
        colour = float(np.ptp(image, axis=0).mean() / max(image.max(axis=0).mean(), _NOTHING))
    return float(grey.mean()), float(grey.std()), colour


def _differences(home: _Seen, away: _Seen) -> str:
    """Return how the images of a site differ from those at home, "" where they are alike."""
    if min(len(home.brightness), len(away.brightness)) < FEWEST:
        return ""
    words = []
    brightness = _step(home.brightness, away.brightness)
    if abs(brightness) > STEP and _apart(home.brightness, away.brightness):
        words.append("brighter" if brightness > 0 else "darker")
    ratio = float(away.contrast.mean() / max(home.contrast.mean(), _NOTHING))
    if not 1 / RATIO <= ratio <= RATIO and _apart(home.contrast, away.contrast):
        words.append("of higher contrast" if ratio > 1 else "of lower contrast")
    if {home.kind, away.kind} == {"in colour", "grey"}:
        if not words:
            return f"{away.kind}, at home they are {home.kind}"
        words.insert(0, away.kind)
    *first, last = words or [""]
    return f"{', '.join(first)}{' and ' if first else ''}{last} than at home" if words else ""


def _step(home: Floats, away: Floats) -> float:
    return float(away.mean() - home.mean())


def _apart(home: Floats, away: Floats) -> bool:
    return abs(_step(home, away)) > SPREADS * float(home.std() + away.std()) / 2
