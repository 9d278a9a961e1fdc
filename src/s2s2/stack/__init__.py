"""The semantic stack: `depth` synthetic images of every training mask, made once and read at random."""

from s2s2.stack.build import build_stack
from s2s2.stack.paired import PairedDataset
from s2s2.stack.sampler import StepSampler
from s2s2.stack.store import Stack

__all__ = ["PairedDataset", "Stack", "StepSampler", "build_stack"]
