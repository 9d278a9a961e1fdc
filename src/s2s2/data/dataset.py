"""Data sets: cases with their images and masks, read on the working grid."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

from s2s2.core.cache import Cache
from s2s2.core.progress import Count
from s2s2.core.types import Image, LabelMap, RawPixels
from s2s2.data.case import Case
from s2s2.data.classes import ClassMap
from s2s2.data.files import joined_header, read_joined_raw
from s2s2.data.grid import Placement, padded_side, resize_mask, resize_pixels, to_unit, working_shape
from s2s2.data.reading.case_masks import encoded_mask
from s2s2.data.reading.headers import common_channels, read_headers
from s2s2.data.reading.layouts import discover
from s2s2.data.reading.manifest import PARTS
from s2s2.data.reading.reader import Header
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.expanding import CutVolumes
from s2s2.data.volumes.volume import volumes_of
from s2s2.errors import DataError


class Dataset(Sequence[Case]):
    """Cases and how their images and masks are read.

    Build one with `Dataset.open`. Images are read on the working grid: the longer
    side has `size` pixels and the aspect ratio is kept. What was decoded once is
    kept in memory up to a budget. A data set pickles without what it keeps.

    Args:
        cases: The cases, each id once.
        class_map: The meaning of the mask values, or None where there are no masks.
        channels: Number of channels that every image is read with.
        size: Longer side of the working grid in pixels; None keeps the files' grid.
        root: The folder or manifest of the data set.
        declared: The part of each case id that a manifest declares.
        cache: Where decoded arrays are kept; default: nowhere.
        headers: Headers of images, by case id, where they were read already.
        cut: The volumes that cases are slices of.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        class_map: ClassMap | None,
        channels: int,
        *,
        size: int | None = None,
        root: Path = Path(),
        declared: Sequence[tuple[str, str]] = (),
        cache: Cache[RawPixels] | None = None,
        headers: dict[str, Header] | None = None,
        cut: CutVolumes | None = None,
    ) -> None:
        if size is not None and size < 1:
            raise DataError(f"size is {size}, expected the longer side in pixels, 1 or more.")
        self.cases = tuple(cases)
        self.channels = channels
        self.size = size
        self.root = root
        self._class_map = class_map
        self._positions = {case.id: position for position, case in enumerate(self.cases)}
        self._declared = tuple((case_id, part) for case_id, part in declared if case_id in self._positions)
        self._cache = cache if cache is not None else Cache(0)
        self.volumes = volumes_of(self.cases, cut.volumes if cut else {})
        self.cut = (cut or CutVolumes()).of(self.volumes)  # a part knows nothing of other parts' volumes
        self._slices = {case.id: case for volume in self.volumes for case in volume.cases}
        own = {*self._positions, *self._slices}
        self._headers = {key: head for key, head in (headers or {}).items() if key in own}
        if (ids := len(self._positions)) != len(self.cases):
            raise DataError(f"Every case needs its own id, got {len(self.cases)} cases and {ids} ids.")

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        size: int | None = None,
        class_map: ClassMap | None = None,
        groups: str | Path | None = None,
        domain: str | None = None,
        channels: int | None = None,
        masks: bool = True,
        cache_mb: int = 1024,
        volumes: VolumeConfig | None = None,
        progress: Count | None = None,
        dataset: str | None = None,
    ) -> Dataset:
        """Open a folder or a CSV manifest.

        Args:
            path: See `discover` for the layouts.
            size: Longer side of the working grid in pixels; None keeps the files' grid.
            class_map: Meaning of the mask values. Default: classes.json of the folder,
                else inferred from the masks.
            groups: A CSV file (case,group) or a regular expression with one group.
            domain: Name of the site; default: the folder's name.
            channels: Number of channels to read images with: grey as RGB (3) or RGB
                as grey (1). Default: what the files have; grey and RGB mixed is RGB.
            masks: Whether there must be masks. If not, masks are ignored.
            cache_mb: How much memory decoded images and masks may fill, in MiB.
            volumes: How volumes are cut into slices; flat images are not changed by it.
            progress: Called with the number of volumes that are cut and of all.
            dataset: Name of a public data set that lies as it is distributed, see `discover`.

        Raises:
            DataError: If cases cannot be paired, grouped or read alike.
        """
        found = discover(
            path,
            groups=groups,
            domain=domain,
            masks_required=masks,
            volumes=volumes,
            progress=progress,
            dataset=dataset,
        )
        found.require_usable(path, masks=masks)
        headers = read_headers(found.cases)
        return cls(
            found.cases,
            class_map or found.classes(),
            channels or common_channels(headers, Path(path)),
            size=size,
            root=Path(path),
            declared=found.declared,
            cache=Cache(cache_mb),
            headers=headers,
            cut=found.cut,
        )

    @property
    def class_map(self) -> ClassMap:
        """The meaning of the mask values.

        Raises:
            DataError: If the data set was opened without masks and without a class map.
        """
        if self._class_map is None:
            raise DataError(
                f"{self.root} was opened without masks, so it has no class map. Give one, or open its masks."
            )
        return self._class_map

    @property
    def ids(self) -> tuple[str, ...]:
        """The case ids, in the order of the cases."""
        return tuple(self._positions)

    @property
    def domain(self) -> str:
        """The name of the site, or all names joined by + where there are several."""
        return "+".join(dict.fromkeys(case.domain for case in self.cases))

    @property
    def declared_split(self) -> dict[str, tuple[str, ...]] | None:
        """The case ids of train, validation and test as a manifest declares them, or None."""
        if not self._declared:
            return None
        parts: dict[str, list[str]] = {part: [] for part in PARTS}
        for case_id, part in self._declared:
            parts[part].append(case_id)
        return {part: tuple(ids) for part, ids in parts.items()}

    def __len__(self) -> int:
        return len(self.cases)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Case, ...]: ...
    def __getitem__(self, index: int | slice) -> Case | tuple[Case, ...]:
        return self.cases[index]

    def __repr__(self) -> str:
        return f"Dataset({str(self.root)!r}, cases={len(self)}, channels={self.channels}, size={self.size})"

    def case(self, case_id: str) -> Case:
        """Return the case of this id.

        Raises:
            DataError: If there is none; similar ids are named.
        """
        position = self._positions.get(case_id)
        if position is None:
            near = difflib.get_close_matches(case_id, self._positions, n=3, cutoff=0.5)
            hint = f" Did you mean {', '.join(near)}?" if near else ""
            raise DataError(f"There is no case {case_id!r} among the {len(self)} cases of {self.root}.{hint}")
        return self.cases[position]

    def subset(self, ids: Iterable[str]) -> Dataset:
        """Return a data set of these cases alone, in this order; no other can be read through it.

        Raises:
            DataError: If an id is unknown or comes twice.
        """
        return self._with([self.case(case_id) for case_id in ids], self.size, self._cache)

    def resized(self, size: int | None) -> Dataset:
        """Return the same cases on another working grid (None: the files' own)."""
        return self._with(self.cases, size, Cache(self._cache.megabytes))

    def image(self, case: Case) -> Image:
        """Read an image on the working grid.

        Returns:
            Shape (channel, height, width), values in [0, 1].

        Raises:
            DataError: If the file cannot be read or has other channels, or the case
                is not of this data set.
        """
        self._own(case)
        return to_unit(self._cache.get(("image", case.id), lambda: self._read_image(case)))

    def mask(self, case: Case) -> LabelMap:
        """Read a mask on the working grid, by the nearest pixel.

        Returns:
            Class ids of shape (height, width).

        Raises:
            DataError: As `original_mask`.
        """
        self._own(case)
        return self._cache.get(("mask", case.id), lambda: self._read_mask(case)).copy()

    def original_mask(self, case: Case) -> LabelMap:
        """Read a mask on the grid of its file.

        Returns:
            Class ids of shape (height, width).

        Raises:
            DataError: If there is no mask, it cannot be read, its size is not the
                image's, or it holds values that the class map does not know.
        """
        self._own(case)
        if case.mask_path is None:
            raise DataError(
                f"Case {case.id} has no mask. Open the data set with its masks, or leave this case out."
            )
        return encoded_mask(case, case.mask_path, self.class_map, self.original_shape(case))

    def original_shape(self, case: Case) -> tuple[int, int]:
        """Return height and width of the file's image in pixels.

        Raises:
            DataError: If the file cannot be read.
        """
        self._own(case)
        if case.id not in self._headers:
            self._headers[case.id] = joined_header(case.files)
        return self._headers[case.id].shape

    def placement(self, case: Case) -> Placement:
        """Return how the case fits on the padded working grid.

        Raises:
            DataError: If the file cannot be read.
        """
        original = self.original_shape(case)
        working = working_shape(original, self.size)
        if self.size is None:
            return Placement(original, working, (padded_side(working[0]), padded_side(working[1])))
        return Placement(original, working, (padded_side(self.size), padded_side(self.size)))

    def _with(self, cases: Sequence[Case], size: int | None, cache: Cache[RawPixels]) -> Dataset:
        return Dataset(
            cases,
            self._class_map,
            self.channels,
            size=size,
            root=self.root,
            declared=self._declared,
            cache=cache,
            headers=self._headers,
            cut=self.cut,
        )

    def _own(self, case: Case) -> None:
        # The slices of a volume are read together, those too that no network learns from.
        if self._slices.get(case.id) != case and self.case(case.id) != case:
            raise DataError(f"Case {case.id} of {case.image_path} is not of the data set {self.root}.")

    def _read_image(self, case: Case) -> RawPixels:
        pixels = read_joined_raw(case.files, self.channels)
        # Cached in the file's own bits, so that a second read gives the same values as the first.
        return resize_pixels(pixels, working_shape((pixels.shape[1], pixels.shape[2]), self.size))

    def _read_mask(self, case: Case) -> LabelMap:
        ids = self.original_mask(case)
        return resize_mask(ids, working_shape((ids.shape[0], ids.shape[1]), self.size))
