"""Semantic stacking: segmentation networks that hold at the next hospital.

The public names, in the order of the story; each is imported when it is first used,
so that `import s2s2` costs nothing.

Reference:
    Pan et al., *S2S2: Semantic Stacking for Robust Semantic Segmentation in Medical
    Imaging*, AAAI 2025, arXiv:2412.13156.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2s2.data import Case, ClassMap, Dataset, Split, split_by_group
    from s2s2.errors import S2S2Error
    from s2s2.evaluation import compare, predict, score, summarise
    from s2s2.generators import Appearance, Boxes, Chain, Composite, build_generator
    from s2s2.networks import EfficientNetUNet, NetworkConfig, build_network
    from s2s2.objective import ConsistencyLoss, FeatureTap, SemanticStacking
    from s2s2.pipeline import Run, RunConfig
    from s2s2.report import build_report
    from s2s2.stack import PairedDataset, Stack, build_stack
    from s2s2.training import TrainConfig, fit

__all__ = [
    "Appearance",
    "Boxes",
    "Case",
    "Chain",
    "ClassMap",
    "Composite",
    "ConsistencyLoss",
    "Dataset",
    "EfficientNetUNet",
    "FeatureTap",
    "NetworkConfig",
    "PairedDataset",
    "Run",
    "RunConfig",
    "S2S2Error",
    "SemanticStacking",
    "Split",
    "Stack",
    "TrainConfig",
    "build_generator",
    "build_network",
    "build_report",
    "build_stack",
    "compare",
    "fit",
    "predict",
    "score",
    "split_by_group",
    "summarise",
]

_HOMES = {
    "errors": ("S2S2Error",),
    "data": ("Case", "ClassMap", "Dataset", "Split", "split_by_group"),
    "generators": ("Appearance", "Boxes", "Chain", "Composite", "build_generator"),
    "stack": ("PairedDataset", "Stack", "build_stack"),
    "objective": ("ConsistencyLoss", "FeatureTap", "SemanticStacking"),
    "networks": ("EfficientNetUNet", "NetworkConfig", "build_network"),
    "training": ("TrainConfig", "fit"),
    "evaluation": ("compare", "predict", "score", "summarise"),
    "report": ("build_report",),
    "pipeline": ("Run", "RunConfig"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"s2s2.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 's2s2' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
