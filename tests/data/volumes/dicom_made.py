"""DICOM files that tests make themselves: tiny series, with any element changed or left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

ACROSS, DOWN = (0.8, 0.6, 0.0), (-0.6, 0.8, 0.0)
SPACING = (1.25, 0.5)
STEP = 2.0
ORIGIN = (-10.0, 20.0, 30.0)


def numbers(slices: int = 4, rows: int = 6, columns: int = 5) -> np.ndarray:
    """Stored numbers of a series (slice, row, column), each another one."""
    return np.arange(slices * rows * columns, dtype=np.uint16).reshape(slices, rows, columns)


def uid(*words: object) -> str:
    return generate_uid(entropy_srcs=[str(word) for word in words])


def slice_of(pixels: np.ndarray, number: int, **changes: Any) -> Dataset:
    """One slice of a CT; `changes` sets elements, None leaves them out."""
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.MediaStorageSOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = uid("slice", number)
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    normal = np.cross(ACROSS, DOWN)
    values = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": uid("slice", number),
        "StudyInstanceUID": uid("study"),
        "SeriesInstanceUID": uid("series"),
        "FrameOfReferenceUID": uid("place"),
        "Modality": "CT",
        "PatientID": "p7",
        "PatientName": "",
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyDate": "20200102",
        "StudyTime": "101112",
        "AccessionNumber": "",
        "StudyID": "1",
        "ReferringPhysicianName": "",
        "Manufacturer": "",
        "SeriesNumber": 1,
        "InstanceNumber": number + 1,
        "ImagePositionPatient": [float(each) for each in np.array(ORIGIN) + number * STEP * normal],
        "ImageOrientationPatient": [*ACROSS, *DOWN],
        "PixelSpacing": list(SPACING),
        "SliceThickness": 3.0,
        "RescaleSlope": 1.0,
        "RescaleIntercept": -1024.0,
    }
    return _finished(file, values | changes, pixels)


def _finished(file: Dataset, values: dict[str, Any], pixels: np.ndarray) -> Dataset:
    for name, value in values.items():
        if value is not None:
            setattr(file, name, value)
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.Rows, file.Columns = pixels.shape[-2:]
    file.BitsAllocated = file.BitsStored = 16
    file.HighBit, file.PixelRepresentation = 15, int(pixels.dtype == np.int16)
    file.PixelData = pixels.tobytes()
    return file


def save(file: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)
    return path


def save_series(
    folder: Path, pixels: np.ndarray, changes: dict[int, dict[str, Any]] | None = None, **common: Any
) -> Path:
    """Write a series whose names are in another order than its slices, without a suffix."""
    for number, each in enumerate(pixels):
        mine = common | (changes or {}).get(number, {})
        save(slice_of(each, number, **mine), folder / f"IM{(number * 7 + 3) % 11:04d}")
    return folder


def save_enhanced(path: Path, pixels: np.ndarray) -> Path:
    """Write the same slices as one enhanced CT, the last one first."""
    file = slice_of(pixels[0], 0)
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = EnhancedCTImageStorage
    shared = Dataset()
    measures, turned = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = list(SPACING), 3.0
    turned.ImageOrientationPatient = [*ACROSS, *DOWN]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([turned])
    file.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for number in reversed(range(len(pixels))):
        frame, place, rescale = Dataset(), Dataset(), Dataset()
        place.ImagePositionPatient = slice_of(pixels[0], number).ImagePositionPatient
        rescale.RescaleSlope, rescale.RescaleIntercept = 1.0, -1024.0
        frame.PlanePositionSequence = Sequence([place])
        frame.PixelValueTransformationSequence = Sequence([rescale])
        frames.append(frame)
    file.PerFrameFunctionalGroupsSequence = Sequence(frames)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleIntercept"):
        delattr(file, name)
    file.NumberOfFrames = len(pixels)
    file.PixelData = pixels[::-1].tobytes()
    return save(file, path)
