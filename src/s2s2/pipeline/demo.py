"""The demos: two small experiments on images that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from s2s2.audit.config import AuditConfig
from s2s2.run.config import RunConfig, SplitConfig
from s2s2.training.config import TrainConfig


@dataclass(frozen=True)
class Demo:
    """One experiment.

    Args:
        name: Its folder in the package.
        home: Sub-folder of the images that are learnt from.
        away: Sub-folders of the images that are only tested on.
        counts: Home cases to train, validate and test on.
        size: Longer side of the images in pixels.
        channels: Colour channels of every image.
        train: How the networks are trained.
        audited: Whether the stack is audited.
        attribution: Source and licence, for the foot of the report.
    """

    name: str
    home: str
    away: tuple[str, ...]
    counts: tuple[int, int, int]
    size: int
    channels: int
    train: TrainConfig
    audited: bool
    attribution: str

    @property
    def folder(self) -> Path:
        """Where the images are, one sub-folder a site."""
        return Path(str(files("s2s2") / "demo_data" / self.name))

    def config(
        self,
        output: Path,
        *,
        seeds: int | None = None,
        steps: int | None = None,
        jobs: int | None = None,
    ) -> RunConfig:
        """Return the settings of the run."""
        train = self.train if steps is None else TrainConfig(**{**vars(self.train), "steps": steps})
        return RunConfig(
            data=self.folder / self.home,
            target=tuple(self.folder / name for name in self.away),
            output=output,
            size=self.size,
            channels=self.channels,
            seeds=seeds or 3,
            split=SplitConfig(counts=self.counts),
            audited=self.audited,
            audit=AuditConfig(folds=2, steps=100, size=96),
            train=train,
            jobs=jobs,
            attributions=(self.attribution,),
        )


NUCLEI = Demo(
    name="nuclei",
    home="fluorescence",
    away=("stained", "brightfield"),
    counts=(24, 16, 44),
    size=128,
    channels=3,
    train=TrainConfig(steps=280, images_per_step=10, validations=4),
    audited=False,
    attribution=(
        "Images and masks: excerpt of BBBC038v1. Caicedo et al., Nucleus segmentation across imaging "
        "experiments: the 2018 Data Science Bowl, Nature Methods 16:1247 (2019), doi "
        "10.1038/s41592-019-0612-7. Licence CC0 1.0. Changed: a selection of images, cropped, scaled to 128 "
        "pixels, the masks of all nuclei of an image joined, renamed."
    ),
)
"""Nuclei in fluorescence at home, stained tissue and bright field away: another modality."""

HOSPITALS = Demo(
    name="hospitals",
    home="paris",
    away=("padova", "aviano", "oxford"),
    counts=(50, 20, 130),
    size=96,
    channels=3,
    train=TrainConfig(steps=160, images_per_step=16, validations=4),
    audited=True,
    attribution=(
        "Images and masks: excerpt of PolypGen. Ali et al., A multi-centre polyp detection and segmentation "
        "dataset for generalisability assessment, Scientific Data 10:75 (2023), doi "
        "10.1038/s41597-023-01981-y; data doi 10.7303/syn26376615. Licence CC BY 4.0. Changed: a selection "
        "of frames, scaled to 192 pixels, renamed."
    ),
)
"""Polyps of one hospital at home, those of three others away: another site of the same modality."""
