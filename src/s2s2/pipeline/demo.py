"""The demo: fifty images of one hospital, tested in four."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from s2s2.audit.config import AuditConfig
from s2s2.run.config import RunConfig, SplitConfig, StackConfig
from s2s2.training.config import TrainConfig

HOME = "paris"
AWAY = ("padova", "aviano", "oxford")
ATTRIBUTION = (
    "Images and masks: excerpt of PolypGen. Ali et al., A multi-centre polyp detection and segmentation "
    "dataset for generalisability assessment, Scientific Data 10:75 (2023), doi 10.1038/s41597-023-01981-y; "
    "data doi 10.7303/syn26376615. Licence CC BY 4.0. Changed: a selection of frames, scaled to 192 pixels, "
    "renamed."
)


def demo_folder() -> Path:
    """Return the folder of the built-in images, one sub-folder a hospital."""
    return Path(str(files("s2s2") / "demo_data"))


def demo_config(
    output: Path, *, seeds: int | None = None, steps: int | None = None, jobs: int | None = None
) -> RunConfig:
    """Return the settings of the demo: the small clinic, without a GPU, in under ten minutes."""
    root = demo_folder()
    return RunConfig(
        data=root / HOME,
        target=tuple(root / name for name in AWAY),
        output=output,
        size=96,
        seeds=seeds or 3,
        split=SplitConfig(counts=(50, 20, 130)),
        stack=StackConfig(depth=8),
        audit=AuditConfig(folds=2, steps=100, size=96),
        train=TrainConfig(steps=steps or 160, images_per_step=16, validations=4),
        jobs=jobs,
        attributions=(ATTRIBUTION,),
    )
