"""Data sets: cases, classes, splits, files, checks and random transforms."""

from s2s2.data.case import Case
from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.split import Split, split_by_group

__all__ = ["Case", "ClassMap", "Dataset", "Split", "split_by_group"]
