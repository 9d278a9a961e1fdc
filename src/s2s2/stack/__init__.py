"""The semantic stack: synthetic images of every training mask, stored or made while training."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.stack.build import build_stack as build_stack
    from s2s2.stack.live import LiveStack as LiveStack
    from s2s2.stack.paired import PairedDataset as PairedDataset
    from s2s2.stack.store import Stack as Stack
else:
    __getattr__, __dir__ = exported(__name__)
