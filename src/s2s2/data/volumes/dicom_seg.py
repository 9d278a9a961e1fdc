"""Reader and writer of DICOM-SEG: label maps that name the segments and the slices they lie on.

Frames without anything are left out of the files, so a label map is read for its image alone:
every frame is put on the image's grid by its position (DICOM PS3.3, C.8.20).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.storage import atomic
from s2s2.core.types import Floats, RawPixels
from s2s2.data.volumes.dicom_kinds import files_in, is_segmentation
from s2s2.data.volumes.dicom_planes import Plane, planes_of_file, read_series
from s2s2.data.volumes.raw import LPS_TO_RAS, RawVolume, VolumeReader
from s2s2.errors import DataError

_OFF = 0.05
"""Voxels that a pixel may lie beside one of the image; headers round."""
_NAME = "s2s2"


def read(path: Path) -> RawVolume:
    """Refuse to read a label map as an image."""
    raise DataError(f"{path} is a DICOM-SEG, a label map, expected an image. Give the folder of its series.")


def read_labels(path: Path, shape: tuple[int, ...], affine: Floats) -> RawVolume:
    """Read a DICOM-SEG on the grid of its image; class ids are the segment numbers.

    Args:
        path: The file, or a folder with it.
        shape: Of the image (i, j, k).
        affine: Of the image, as `RawVolume.affine`.

    Raises:
        DataError: If segments overlap, are fractions, or lie on another grid.
    """
    import pydicom

    file = files_in(path)[0] if path.is_dir() else path
    content = pydicom.dcmread(file)
    kind = str(content.get("SegmentationType", ""))
    if kind not in ("BINARY", "LABELMAP"):
        raise DataError(
            f"{file} holds segments of the kind {kind or 'unknown'}, expected BINARY or LABELMAP. Export the "
            "segmentation as binary segments."
        )
    frames = np.asarray(content.pixel_array)
    frames = frames[None] if frames.ndim == 2 else frames
    voxels = np.zeros(shape, np.uint16)
    for plane, pixels in zip(planes_of_file(file, content), frames, strict=True):
        numbers = pixels if kind == "LABELMAP" else pixels * np.uint16(_segment(content, plane))
        _put(voxels, numbers, plane, affine)
    return RawVolume(voxels, affine, format="dicom-seg")


def _segment(content: Any, plane: Plane) -> int:
    """Return the segment number of a frame: its own, or the one that all frames share."""
    frame = content.PerFrameFunctionalGroupsSequence[plane.frame]
    shared = (content.get("SharedFunctionalGroupsSequence") or [None])[0]
    for group in (frame, shared):
        if group is not None and "SegmentIdentificationSequence" in group:
            return int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    raise DataError(f"{plane.source} does not say which segment {plane.name} shows. Export it again.")


def _put(voxels: RawPixels, numbers: RawPixels, plane: Plane, affine: Floats) -> None:
    """Put the pixels of a frame that are not 0 on the grid of the image."""
    rows, columns = np.nonzero(numbers)
    if not rows.size:
        return
    to_index = np.linalg.inv(affine) @ LPS_TO_RAS
    first = to_index @ np.append(plane.position, 1.0)
    across, down = to_index[:3, :3] @ plane.across, to_index[:3, :3] @ plane.down
    exact = (
        first[:3, None]
        + across[:, None] * (columns * plane.spacing[1])
        + down[:, None] * (rows * plane.spacing[0])
    )
    places = np.rint(exact).astype(np.int64)
    last = np.array(voxels.shape)[:, None] - 1
    if np.abs(exact - places).max() > _OFF or (places < 0).any() or (places > last).any():
        raise DataError(
            f"{plane.source} lies on another grid than its image: {plane.name} begins at voxel "
            f"({', '.join(f'{each:.2f}' for each in first[:3])}) of {' x '.join(map(str, voxels.shape))}. "
            "Expected the slices of that series: make the segmentation on it, or give the series it is of."
        )
    where, found = tuple(places), numbers[rows, columns]
    before = voxels[where]
    if twice := np.count_nonzero((before != 0) & (before != found)):
        other = int(before[(before != 0) & (before != found)][0])
        raise DataError(
            f"{plane.source} holds segments that overlap: {twice} voxels of {plane.name} belong to segment "
            f"{other} too. Expected one class a voxel: export the segments without overlap."
        )
    voxels[where] = found


def write(path: Path, labels: RawPixels, affine: Floats, source: Path, names: Sequence[str]) -> None:
    """Write a label map as a DICOM-SEG of the series that was predicted.

    Its UIDs are made from its content, and its dates are those of the series, so that equal label maps
    are equal files.

    Args:
        path: Where to.
        labels: Class ids of shape (i, j, k).
        affine: That of the series, whose own positions are written.
        source: The series: a folder, or a file of many slices.
        names: Name of each class id; 0 is the background, which is no segment.
    """
    import highdicom
    from pydicom.uid import generate_uid

    planes = read_series(source).planes
    images, order = _images(planes)
    frames = np.ascontiguousarray(np.asarray(labels, np.uint8).transpose(2, 1, 0)[order])
    content = hashlib.sha256(frames.tobytes()).hexdigest()
    known = [*(str(image.SOPInstanceUID) for image in images), *names, version(_NAME), content]
    uids = [generate_uid(entropy_srcs=[what, *known]) for what in ("series", "instance", "dimensions")]
    segmentation = highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=frames,
        segmentation_type="BINARY",
        segment_descriptions=[_described(number, name) for number, name in enumerate(names) if number],
        series_instance_uid=uids[0],
        series_number=1000,
        sop_instance_uid=uids[1],
        instance_number=1,
        manufacturer=_NAME,
        manufacturer_model_name=_NAME,
        software_versions=version(_NAME),
        device_serial_number="1",
        omit_empty_frames=bool(frames.any()),
    )
    _fix(segmentation, uids[2], images[0])
    with atomic(path) as temporary:
        segmentation.save_as(temporary)


def _images(planes: Sequence[Plane]) -> tuple[list[Any], list[int]]:
    """Return the headers of a series in the order of its frames, and which slice each frame is."""
    import pydicom

    order = sorted(range(len(planes)), key=lambda number: planes[number].frame)
    if planes[0].source == planes[-1].source:
        return [_completed(pydicom.dcmread(planes[0].source, stop_before_pixels=True))], order
    return [_completed(pydicom.dcmread(plane.source, stop_before_pixels=True)) for plane in planes], order


def _completed(image: Any) -> Any:
    """Give an anonymised header the UIDs that a reference needs, where they were emptied."""
    from pydicom.uid import generate_uid

    image.SOPClassUID = image.get("SOPClassUID") or image.file_meta.MediaStorageSOPClassUID
    image.SOPInstanceUID = image.get("SOPInstanceUID") or image.file_meta.MediaStorageSOPInstanceUID
    place = str(image.get("FrameOfReferenceUID") or "unknown")
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        if not image.get(name):
            setattr(image, name, generate_uid(entropy_srcs=[name, place]))
    return image


def _described(number: int, name: str) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=name[:64],
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Tissue,
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=_NAME, family=codes.DCM.ArtificialIntelligence, version=version(_NAME)
        ),
    )


def _fix(segmentation: Any, dimensions: str, image: Any) -> None:
    """Replace what changes with every call: the UID of the dimensions, and the time."""
    for name in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in segmentation.get(name, ()):
            item.DimensionOrganizationUID = dimensions
    for name in ("InstanceCreationDate", "InstanceCreationTime"):
        segmentation.pop(name, None)
    for item in segmentation.get("ContributingEquipmentSequence", ()):
        item.pop("ContributionDateTime", None)
    segmentation.ContentDate = image.get("ContentDate") or image.get("StudyDate") or "19000101"
    segmentation.ContentTime = image.get("ContentTime") or image.get("StudyTime") or "000000"


DICOM_SEG = VolumeReader("dicom-seg", (), is_segmentation, read, write, ".dcm", read_labels)
