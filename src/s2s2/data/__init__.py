"""Cases, their files, their splits and what is done to images before a network."""

from s2s2.core.streams import stream
from s2s2.data.case import Case
from s2s2.data.checking.check import inspect
from s2s2.data.checking.duplicates import between_sites
from s2s2.data.checking.problems import Problem
from s2s2.data.checking.report import CheckReport
from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.geometry import Placement, padded_side, working_shape
from s2s2.data.reading.files import image_header, read_image, read_mask_raw
from s2s2.data.reading.formats import Found, discover
from s2s2.data.split import Split, TrainingData, split_by_group
from s2s2.data.transforms.acquisition import Acquisition, AcquisitionConfig
from s2s2.data.transforms.paired import GeometryConfig, PairedGeometry, PhotometricConfig, photometric

__all__ = [
    "Acquisition",
    "AcquisitionConfig",
    "Case",
    "CheckReport",
    "ClassMap",
    "Dataset",
    "Found",
    "GeometryConfig",
    "PairedGeometry",
    "PhotometricConfig",
    "Placement",
    "Problem",
    "Split",
    "TrainingData",
    "between_sites",
    "discover",
    "image_header",
    "inspect",
    "padded_side",
    "photometric",
    "read_image",
    "read_mask_raw",
    "split_by_group",
    "stream",
    "working_shape",
]
