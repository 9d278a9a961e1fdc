"""Slices of a DICOM series: where each lies, and whether together they are one volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.types import Floats
from s2s2.data.volumes.dicom_kinds import files_in
from s2s2.data.volumes.raw import LPS_TO_RAS
from s2s2.errors import DataError, listed

_SAME_DIRECTION = 1e-3
_SAME_MM = 1e-3
_UNEVEN = 0.1
"""Share of the usual distance by which one may differ: headers round, and a missing slice makes it twice."""


@dataclass(frozen=True)
class Plane:
    """One slice.

    Args:
        source: Its file.
        frame: Which image of the file it is, counted from 0.
        shape: Number of rows and columns.
        position: Of the middle of the first pixel, in mm to the patient's left, back and head.
        across: Unit vector along a row.
        down: Unit vector down a column.
        spacing: Distance of rows and of columns in mm.
        thickness: In mm; 0 where it is not said.
        rescale: Slope and intercept from stored numbers to values.
        stored: Type of the stored numbers, as numpy names it.
    """

    source: Path
    frame: int
    shape: tuple[int, int]
    position: Floats
    across: Floats
    down: Floats
    spacing: tuple[float, float]
    thickness: float
    rescale: tuple[float, float]
    stored: str

    @property
    def normal(self) -> Floats:
        """Unit vector across the slice."""
        return np.cross(self.across, self.down)

    @property
    def name(self) -> str:
        """What an error calls it."""
        return self.source.name if self.frame == 0 else f"image {self.frame + 1} of {self.source.name}"


@dataclass(frozen=True)
class Series:
    """The slices of a volume, sorted along their normal.

    Args:
        planes: The slices.
        modality: As DICOM names it.
        patient: PatientID.
    """

    planes: tuple[Plane, ...]
    modality: str
    patient: str

    @property
    def affine(self) -> Floats:
        """From column, row and slice to millimetres (RAS), shape (4, 4); see DICOM PS3.3, C.7.6.2.1.1.

        The distance of slices is that of their positions: SliceThickness may be another.
        """
        first, last = self.planes[0], self.planes[-1]
        lps = np.eye(4)
        lps[:3, 0] = first.across * first.spacing[1]
        lps[:3, 1] = first.down * first.spacing[0]
        if len(self.planes) > 1:
            lps[:3, 2] = (last.position - first.position) / (len(self.planes) - 1)
        else:
            lps[:3, 2] = first.normal * (first.thickness or 1.0)
        lps[:3, 3] = first.position
        return np.asarray(LPS_TO_RAS @ lps, np.float64)


def read_series(path: Path) -> Series:
    """Read the headers of a folder of DICOM files, or of one file, and sort the slices.

    Raises:
        DataError: If they are not the slices of one volume; the files are named.
        Exception: As pydicom raises it for a corrupt file.
    """
    files = files_in(path) if path.is_dir() else [path]
    headers = [(file, _header(file)) for file in files]
    headers = [(file, header) for file, header in headers if header is not None]
    if not headers:
        raise DataError(f"{path} holds no DICOM images. Give the folder of one CT or MR series.")
    _require_images(path, headers)
    _require_one_series(path, headers)
    planes = [plane for file, header in headers for plane in planes_of_file(file, header)]
    _require_alike(path, planes)
    normal = planes[0].normal
    planes.sort(key=lambda plane: float(normal @ plane.position))
    _require_even(path, planes)
    first = headers[0][1]
    return Series(
        tuple(planes), str(first.get("Modality", "")), str(first.get("PatientID", "") or "").strip()
    )


def _header(file: Path) -> Any:
    """Return the header of a DICOM file without its pixels."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(file, stop_before_pixels=True)
    except InvalidDicomError as error:
        raise DataError(
            f"{file} is no DICOM file ({file.stat().st_size} bytes, without the mark DICM), expected one "
            "slice like the files beside it. Copy it again from its source, or take it out."
        ) from error


def _require_images(path: Path, headers: Sequence[tuple[Path, Any]]) -> None:
    strange = [file.name for file, header in headers if "Rows" not in header or "Columns" not in header]
    if strange:
        raise DataError(
            f"{path} holds DICOM files that are no images but reports, plans or the like: {listed(strange)}. "
            "Expected the slices of one series: take these files out."
        )
    colours = [file.name for file, header in headers if int(header.get("SamplesPerPixel", 1)) != 1]
    if colours:
        raise DataError(
            f"{path} holds images in colours: {listed(colours)}. Expected one intensity a pixel: take "
            "screenshots out, or save colour images as PNG."
        )

    mosaics = [file.name for file, header in headers if "MOSAIC" in (header.get("ImageType") or ())]
    if mosaics:
        raise DataError(
            f"{path} holds mosaics, all slices side by side in one picture: {listed(mosaics)}. Expected a "
            "slice each: convert the series to NIfTI, such as with dcm2niix."
        )


def _require_one_series(path: Path, headers: Sequence[tuple[Path, Any]]) -> None:
    counts = Counter(str(header.get("SeriesInstanceUID", "")) for _, header in headers)
    if len(counts) > 1:
        found = listed(
            [f"{uid or 'without a name'} ({_files(count)})" for uid, count in counts.most_common()]
        )
        raise DataError(
            f"{path} holds {len(counts)} series, by SeriesInstanceUID: {found}. Expected one: give each "
            "series a folder of its own."
        )


def planes_of_file(file: Path, header: Any) -> Iterator[Plane]:
    """Yield the slices of a file, from its own header or from those of its frames.

    Args:
        file: The file.
        header: Its content, with or without pixels.

    Raises:
        DataError: If it is not known where one lies.
    """
    count = int(header.get("NumberOfFrames", 1) or 1)
    frames = header.get("PerFrameFunctionalGroupsSequence")
    if frames is None and count > 1:
        raise DataError(
            f"{file} holds {count} images in one file without a place for each, expected enhanced CT or MR, "
            "or a file for each slice. Export the series as single slices."
        )
    shared = (header.get("SharedFunctionalGroupsSequence") or [None])[0]
    for number in range(count):
        groups = [each for each in (frames[number] if frames else None, shared, header) if each is not None]
        yield _plane(file, number, header, groups)


def _plane(file: Path, number: int, header: Any, groups: Sequence[Any]) -> Plane:
    position = _found(groups, "PlanePositionSequence", "ImagePositionPatient")
    turned = _found(groups, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = _found(groups, "PixelMeasuresSequence", "PixelSpacing")
    for name, value, length in (
        ("ImagePositionPatient", position, 3),
        ("ImageOrientationPatient", turned, 6),
        ("PixelSpacing", spacing, 2),
    ):
        if value is None or len(value) != length:
            got = "no" if value is None else f"{len(value)} numbers as"
            raise DataError(
                f"{file} has {got} {name}, expected {length} numbers that say where the slice lies. Export "
                "the series again from the archive, or take out what is no slice of a CT or MR series."
            )
    slope = _found(groups, "PixelValueTransformationSequence", "RescaleSlope")
    intercept = _found(groups, "PixelValueTransformationSequence", "RescaleIntercept")
    thickness = _found(groups, "PixelMeasuresSequence", "SliceThickness")
    across, down = np.array(turned[:3], np.float64), np.array(turned[3:], np.float64)
    bits, signed = int(header.get("BitsAllocated", 16)), int(header.get("PixelRepresentation", 0))
    return Plane(
        source=file,
        frame=number,
        shape=(int(header.Rows), int(header.Columns)),
        position=np.array(position, np.float64),
        across=across / (np.linalg.norm(across) or 1.0),
        down=down / (np.linalg.norm(down) or 1.0),
        spacing=(float(spacing[0]), float(spacing[1])),
        thickness=float(thickness or 0.0),
        rescale=(float(1 if slope is None else slope), float(intercept or 0)),
        stored=f"{'i' if signed else 'u'}{max(1, bits // 8)}",
    )


def _found(groups: Sequence[Any], sequence: str, name: str) -> Any:
    """Return a value from the first of the frame, what all frames share and the file that has it."""
    for group in groups:
        inner = (group.get(sequence) or [None])[0]
        for place in (inner, group):
            if place is not None and place.get(name) not in (None, ""):
                return place.get(name)
    return None


def _require_alike(path: Path, planes: Sequence[Plane]) -> None:
    first = planes[0]
    for plane in planes[1:]:
        ours, theirs = (np.concatenate([each.across, each.down]) for each in (first, plane))
        if np.abs(ours - theirs).max() > _SAME_DIRECTION:
            raise DataError(
                f"{path} holds slices of several orientations: {first.name} lies along {_numbers(ours)}, "
                f"{plane.name} along {_numbers(theirs)}. Expected parallel slices: take out overviews, or "
                "give each orientation a folder of its own."
            )
        if plane.shape != first.shape or not np.allclose(plane.spacing, first.spacing, rtol=1e-3):
            raise DataError(
                f"{path} holds slices of several sizes: {first.name} {_size(first)}, {plane.name} "
                f"{_size(plane)}. Expected one size: take out what is of another series."
            )


def _require_even(path: Path, planes: Sequence[Plane]) -> None:
    """Refuse slices that are missing, lie at one place, or are shifted sideways."""
    normal = planes[0].normal
    along = np.array([normal @ plane.position for plane in planes])
    gaps = np.diff(along)
    for number in np.flatnonzero(gaps < _SAME_MM)[:1]:
        pair = f"{planes[number].name} and {planes[number + 1].name}"
        raise DataError(
            f"{path} holds images that share their place with others, such as {pair} at {along[number]:g} "
            "mm. Expected one image a place: give time points, echoes and b-values a folder each, or take "
            "copies out."
        )
    usual = float(np.sort(gaps)[(len(gaps) - 1) // 2]) if len(gaps) else 0.0
    for number in np.flatnonzero(np.abs(gaps - usual) > _UNEVEN * usual)[:1]:
        gap, whole = gaps[number], round(gaps[number] / usual) - 1
        missing = f" {whole} slice{'s are' if whole > 1 else ' is'} missing there." if whole > 0 else ""
        raise DataError(
            f"The slices of {path} do not lie evenly: {gap:g} mm between {planes[number].name} at "
            f"{along[number]:g} mm and {planes[number + 1].name} at {along[number + 1]:g} mm, expected "
            f"{usual:g} mm as between most.{missing} Copy the whole series again, or resample it "
            "to even slices."
        )
    if len(planes) > 1:
        steps = np.arange(len(planes))[:, None] / (len(planes) - 1)
        line = planes[0].position + steps * (planes[-1].position - planes[0].position)
        apart = np.array([plane.position for plane in planes]) - line
        sideways = np.linalg.norm(apart - (apart @ normal)[:, None] * normal, axis=1)
        worst = int(sideways.argmax())
        if sideways[worst] > max(_UNEVEN * min(planes[0].spacing), _SAME_MM):
            raise DataError(
                f"{path} holds slices that are shifted: {planes[worst].name} lies {sideways[worst]:.3g} mm "
                "beside the line from the first slice to the last. Expected one straight stack: give each "
                "stack a folder of its own."
            )


def _files(count: int) -> str:
    return f"{count} file{'s' * (count != 1)}"


def _numbers(values: Floats) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values) + ")"


def _size(plane: Plane) -> str:
    rows, columns = plane.shape
    return f"{rows} x {columns} pixels of {plane.spacing[0]:.4g} x {plane.spacing[1]:.4g} mm"
