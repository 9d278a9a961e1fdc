"""Data sets: cases, classes, splits, files, checks and random transforms."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.data.case import Case as Case
    from s2s2.data.classes import ClassMap as ClassMap
    from s2s2.data.dataset import Dataset as Dataset
    from s2s2.data.split import Split as Split, split_by_group as split_by_group
else:
    __getattr__, __dir__ = exported(__name__)
