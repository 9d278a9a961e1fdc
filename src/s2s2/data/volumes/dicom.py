"""Reader of DICOM images: a folder of files is one volume, and so is a file of many slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from s2s2.core.types import RawPixels
from s2s2.data.volumes import nifti
from s2s2.data.volumes.dicom_kinds import is_image
from s2s2.data.volumes.dicom_planes import Plane, Series, read_series
from s2s2.data.volumes.raw import RawVolume, VolumeReader
from s2s2.errors import DataError


def read(path: Path) -> RawVolume:
    """Read a series. Slices with a rescale of their own (PET, some MR) are rescaled one by one, to float32.

    Raises:
        DataError: If the files are not the slices of one volume.
        Exception: As pydicom raises it for a corrupt file.
    """
    series = read_series(path)
    rescales = {plane.rescale for plane in series.planes}
    slope, intercept = series.planes[0].rescale if len(rescales) == 1 else (1.0, 0.0)
    return RawVolume(
        _voxels(series, each_rescaled=len(rescales) > 1),
        series.affine,
        slope,
        intercept,
        modality=series.modality,
        patient=series.patient,
        format="dicom",
    )


def _voxels(series: Series, *, each_rescaled: bool) -> RawPixels:
    """Return the stored numbers of shape (column, row, slice), in memory slice by slice."""
    planes = series.planes
    stored = np.dtype(np.float32) if each_rescaled else np.result_type(*{plane.stored for plane in planes})
    voxels = np.empty((len(planes), *planes[0].shape), stored)
    whole: dict[Path, RawPixels] = {}
    for number, plane in enumerate(planes):
        if plane.source not in whole:
            whole = {plane.source: _frames(plane)}
        pixels = whole[plane.source][plane.frame]
        slope, intercept = plane.rescale
        voxels[number] = pixels.astype(np.float32) * slope + intercept if each_rescaled else pixels
    return voxels.transpose(2, 1, 0)


def _frames(plane: Plane) -> RawPixels:
    """Return all images of a file, of shape (frame, row, column)."""
    import pydicom

    file = pydicom.dcmread(plane.source)
    if "PixelData" not in file:
        raise DataError(
            f"{plane.source} holds a header without pixels, expected {plane.shape[0]} x {plane.shape[1]}. "
            "Copy it again from its source."
        )
    try:
        pixels = np.asarray(file.pixel_array)
    except Exception as error:  # decoders raise errors of any class, and name no file
        raise DataError(_undecoded(plane.source, file, error)) from error
    return pixels[None] if pixels.ndim == 2 else pixels


def _undecoded(path: Path, file: Any, error: Exception) -> str:
    cause = " ".join(str(error).split())[:200] or type(error).__name__
    syntax = file.file_meta.TransferSyntaxUID.name
    if "plugin" in cause or "missing dependencies" in cause:
        return (
            f"{path} is compressed as {syntax}, and no package that reads this is installed. Install what "
            "volumes need: `pip install 's2s2[volumes]'`."
        )
    return (
        f"The pixels of {path} cannot be read ({cause}). Expected a whole file in {syntax}: copy it again "
        "from its source."
    )


DICOM = VolumeReader("dicom", (".dcm",), is_image, read, nifti.write, ".nii.gz")
