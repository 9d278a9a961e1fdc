"""Cutting of volumes: every slice becomes an image file in a cache, once for the same bytes and settings.

A folder of the cache is named by the content of the files and the settings that its slices depend on,
so it is never out of date, and several runs share it. `volume.json` is written last: a folder without it,
or with a slice of another size than it says, is made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import TypedDict

from s2s2.core.inputs import Inputs
from s2s2.core.storage import atomic, read_json, write_json
from s2s2.core.types import RawPixels
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.formats import read_labels, read_volume, source_identity
from s2s2.data.volumes.intensities import Scaling, Statistics, looks_like_ct
from s2s2.data.volumes.raw import RawVolume, label_values
from s2s2.data.volumes.slicing import Slicing, is_orthonormal, orientation
from s2s2.data.volumes.volume import Grid
from s2s2.errors import DataError

_VERSION = 2
"""Of how slices are made; another number makes all of them again."""
_RECORD = "volume.json"


@dataclass(frozen=True)
class Facts:
    """What the check wants to know of a volume.

    Args:
        grid: Where its voxels lie.
        scalings: How each channel became pixels.
        kinds: The kind of each channel's values: ct or other.
        lows: Smallest value of each channel.
        highs: Largest value of each channel.
        codes: Where the stored axes point, such as RAS.
        oriented: Whether the file says how it lies in the patient.
        orthonormal: Whether its axes are at right angles.
        patient: Name of the patient in the file, or "".
        bare: As `RawVolume.bare`.
    """

    grid: Grid
    scalings: tuple[Scaling, ...]
    kinds: tuple[str, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    codes: str
    oriented: bool
    orthonormal: bool
    patient: str = ""
    bare: bool = False

    @property
    def spacing_mm(self) -> tuple[float, float, float] | None:
        """Distance of slices, rows and columns; None where it is unknown."""
        return None if self.bare else self.grid.slicing.spacing_mm


class _Kept(TypedDict):
    """Shape of volume.json."""

    facts: dict[str, Any]
    sizes: dict[str, int]


def cache_folder(config: VolumeConfig) -> Path:
    """Return where slices are kept."""
    if config.cache is not None:
        return config.cache
    if own := os.environ.get("S2S2_CACHE"):
        return Path(own) / "slices"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "s2s2" / "slices"


def cut_image(sources: Sequence[Path], config: VolumeConfig) -> tuple[Facts, list[Path]]:
    """Cut the image of a volume into slices, or find them cut already.

    Args:
        sources: Its files, one a channel.
        config: How it is cut.

    Returns:
        What was found, and the file of every slice.

    Raises:
        DataError: If a file cannot be read, holds voxels that are not numbers, or the channels lie on
            different grids.
    """
    files = [source_identity(path) for path in sources]
    settings = {name: value for name, value in config.to_dict().items() if name != "neighbours"}
    folder = cache_folder(config) / Inputs({"image": files, **settings, "version": _VERSION}).digest
    suffix = ".png" if len(sources) == 1 else ".tif"
    if (kept := _kept(folder)) is None:
        volumes = [read_volume(path) for path in sources]
        facts, slices = _prepared(volumes, sources, config)
        kept = _keep(folder, facts, slices, suffix)
    return kept, [folder / f"{number:04d}{suffix}" for number in range(kept.grid.cut_shape[0])]


def cut_mask(source: Path, image: Sequence[Path], facts: Facts, config: VolumeConfig) -> list[Path]:
    """Cut the mask of a volume as its image was cut.

    Raises:
        DataError: If it cannot be read, lies on another grid, or holds values that are no class ids.
    """
    inputs = {
        "mask": source_identity(source),
        "image": [source_identity(path) for path in image],
        "plane": facts.grid.slicing.plane,
        "version": _VERSION,
    }
    folder = cache_folder(config) / Inputs(inputs).digest
    if _kept(folder) is None:
        volume = read_labels(source, facts.grid.shape, facts.grid.matrix, image[0])
        labels = label_values(volume, facts.grid.aligned(volume, source, "mask"), source)
        _keep(folder, facts, iter(labels), ".png")
    return [folder / f"{number:04d}.png" for number in range(facts.grid.cut_shape[0])]


def _prepared(
    volumes: Sequence[RawVolume], sources: Sequence[Path], config: VolumeConfig
) -> tuple[Facts, Iterator[RawPixels]]:
    """Measure the channels of a volume, and return its slices as pixels (row, column[, channel])."""
    modalities = _modalities(volumes, sources, config)
    first = volumes[0]
    slicing = Slicing.of(first.affine, config.axis)
    grid = Grid.of(first, slicing)
    channels = [
        slicing.cut(first.voxels) if number == 0 else grid.aligned(volume, source, "channel")
        for number, (volume, source) in enumerate(zip(volumes, sources, strict=True))
    ]
    statistics = []
    for volume, source, channel in zip(volumes, sources, channels, strict=True):
        found = Statistics.of((volume.values(each) for each in channel), channel.size)
        if found.missing:
            raise DataError(
                f"{source} holds {found.missing} voxels that are not finite (NaN or infinite). Give them the "
                "value of air or of the background, and save it again."
            )
        statistics.append(found)
    bare = [volume.bare for volume in volumes]
    pairs = list(zip(statistics, modalities, strict=True))
    scalings = tuple(
        Scaling.of(found, modality, config, bare=each)
        for (found, modality), each in zip(pairs, bare, strict=True)
    )
    facts = Facts(
        grid=grid,
        scalings=scalings,
        kinds=tuple("ct" if looks_like_ct(found, modality) else "other" for found, modality in pairs),
        lows=tuple(found.low for found in statistics),
        highs=tuple(found.high for found in statistics),
        codes=orientation(first.affine),
        oriented=first.oriented,
        orthonormal=is_orthonormal(first.affine),
        patient=first.patient,
        bare=first.bare,
    )

    def slices() -> Iterator[RawPixels]:
        for number in range(len(channels[0])):
            planes = [
                scaling.pixels(volume.values(channel[number]))
                for scaling, volume, channel in zip(scalings, volumes, channels, strict=True)
            ]
            yield planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)

    return facts, slices()


def _modalities(
    volumes: Sequence[RawVolume], sources: Sequence[Path], config: VolumeConfig
) -> tuple[str, ...]:
    """Return what each channel shows: as was said, else as its file says."""
    if config.modalities and len(config.modalities) != len(volumes):
        raise DataError(
            f"{sources[0]} belongs to a volume of {len(volumes)} channel{'s' * (len(volumes) > 1)}, expected "
            f"{len(config.modalities)}: {', '.join(config.modalities)}. Give a file for each channel, or one "
            "modality for each file."
        )
    return config.modalities or tuple(volume.modality for volume in volumes)


def _keep(folder: Path, facts: Facts, slices: Iterator[RawPixels], suffix: str) -> Facts:
    """Write the slices and, when all are there, what was found."""
    sizes = {}
    for number, pixels in enumerate(slices):
        path = folder / f"{number:04d}{suffix}"
        with atomic(path) as temporary:
            _write(temporary, pixels)
        sizes[path.name] = path.stat().st_size
    write_json(folder / _RECORD, {"facts": asdict(facts), "sizes": sizes})
    return facts


def _write(path: Path, pixels: RawPixels) -> None:
    if pixels.ndim == 2:
        from imagecodecs import PNG, png_encode

        # Of noise, filters make no smaller files, and reading them takes twice as long.
        path.write_bytes(png_encode(np.ascontiguousarray(pixels), level=1, filter=PNG.FILTER.NO))
    else:
        import tifffile

        planes = np.moveaxis(pixels, -1, 0)
        tifffile.imwrite(
            path,
            planes,
            photometric="minisblack",
            planarconfig="separate",
            compression="zlib",
            compressionargs={"level": 1},
        )


def _kept(folder: Path) -> Facts | None:
    """Return what was found of a volume whose slices are all there; None where it has to be cut."""
    if not (folder / _RECORD).is_file():
        return None
    try:
        content = read_json(folder / _RECORD, shape=_Kept)
        with os.scandir(folder) as entries:
            there = {entry.name: entry.stat().st_size for entry in entries}
        if any(there.get(name) != size for name, size in content["sizes"].items()):
            return None
        return _facts(content["facts"])
    except (DataError, KeyError, TypeError, ValueError):
        return None


def _facts(content: Any) -> Facts:
    """Build what was found from what JSON makes of it."""
    grid, found = content["grid"], {name: _tuples(value) for name, value in content.items()}
    slicing = Slicing(**{name: _tuples(value) for name, value in grid["slicing"].items()})
    found["grid"] = Grid(_tuples(grid["shape"]), _tuples(grid["affine"]), slicing, grid["format"])
    found["scalings"] = tuple(Scaling(**each) for each in content["scalings"])
    return Facts(**found)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
