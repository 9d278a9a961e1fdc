"""Settings of a whole run, saved beside its results and read back as they are."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2s2.arms import get_arm
from s2s2.audit.config import AuditConfig
from s2s2.errors import ConfigError
from s2s2.networks.config import NetworkConfig
from s2s2.run.options import DataOptions, Flipping, Parallel, Seeded, Sized, Tolerant, Written
from s2s2.training.config import TrainConfig

if TYPE_CHECKING:
    from s2s2.data.dataset import Dataset
    from s2s2.data.split import Split
    from s2s2.data.split_files import Fold


@dataclass(frozen=True, kw_only=True)
class Division(Seeded):
    """How cases are divided, by group.

    Args:
        fractions: Shares of train, validation and test; they add up to 1.
        counts: Numbers of cases instead of shares.
        empty: Share of the slices without any class, of volumes, that are learnt from and validated on. Test
            volumes keep all of theirs.
        nnunet: splits_final.json of nnU-Net, of which one fold is taken. Test is what the fold validates on,
            and validation is drawn from its training cases, as many as --fractions says beside training;
            where cases are in no fold, these are test and validation is as the fold says. Counts are not
            used.
        fold: Number of that fold.
        seed: Seed of the division; the same seed gives the same split.
    """

    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    counts: tuple[int, int, int] | None = None
    empty: float = 0.25
    nnunet: Path | None = None
    fold: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not 0 <= self.empty <= 1:
            raise ConfigError(
                f"--empty (--split.empty in a run) is a share of the empty slices, 0 to 1, got {self.empty}."
            )

    def divide(self, dataset: "Dataset") -> "Split":
        """Divide the cases of a data set.

        Raises:
            SplitError: If that cannot be done.
        """
        from s2s2.data.split import divide
        from s2s2.data.thinning import thinned

        if (fold := self.fold_of(dataset)) is not None:
            learnt, chosen, _ = self.fractions
            split = fold.split(dataset, share=chosen / ((learnt + chosen) or 1), seed=self.seed)
        else:
            split = divide(dataset, fractions=self.fractions, counts=self.counts, seed=self.seed)
        return thinned(split, dataset, self.empty)

    def fold_of(self, dataset: "Dataset") -> "Fold | None":
        """Return the fold of nnU-Net that is taken; it says in words what becomes of it.

        Raises:
            SplitError: If there is no such fold of these cases.
        """
        from s2s2.data.split_files import Fold

        return None if self.nnunet is None else Fold.read(self.nnunet, self.fold, dataset)


SHOWN = 8
"""Copies of each mask that are stored of a live stack, to be looked at and audited."""


@dataclass(frozen=True, kw_only=True)
class SplitConfig(Division):
    """How the home cases are divided, by group.

    Args:
        seed: Seed of the division, which all arms and seeds of a run share.
        file: A split.json made before, instead of a new division.
    """

    file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class StackConfig(Seeded):
    """How the stack is made.

    Args:
        generator: Names joined by `+`, applied one after the other from left to right; several with
            shares, `appearance:8,diffusion:8`; options in brackets, `appearance(extrapolate=0.5)`;
            or an import path of your own class, whose code is run.
        tuned: Folder of weights from `s2s2 tune`. Without it, what has to be tuned is tuned in the output
            folder.
        depth: Synthetic images for each training mask; `live` makes a new one for every visit while
            training, and stores 8 to look at and to audit. Live needs a generator without tuning.
        bits: Bits in which a channel is stored.
        seed: Seed of the stack, which all trainings share.
    """

    generator: str = "appearance:1,randconv:1"
    tuned: Path | None = None
    depth: int | Literal["live"] = 8
    bits: Literal[8, 16] = 8

    def __post_init__(self) -> None:
        """Refuse an empty stack."""
        if self.stored < 1:
            raise ConfigError(f"The depth of a stack must be at least 1, got {self.depth}.")

    @property
    def stored(self) -> int:
        """How many copies of each mask are stored."""
        return SHOWN if self.depth == "live" else self.depth


@dataclass(frozen=True, kw_only=True)
class Repeated(Parallel):
    """How often a comparison is repeated.

    Args:
        seeds: Repetitions of every arm, with the seeds 0, 1, ...
        jobs: Trainings side by side. Without it, one for each core, or one for a GPU.
    """

    seeds: int = 3

    def __post_init__(self) -> None:
        """Refuse what is no number of repetitions."""
        super().__post_init__()
        if self.seeds < 1:
            raise ConfigError(f"--seeds is a number of repetitions, at least 1, got {self.seeds}.")


@dataclass(frozen=True, kw_only=True)
class RunConfig(Tolerant, Flipping, Repeated, Sized, Written, DataOptions):
    """Settings of `s2s2 run`.

    Args:
        data: Home: the labelled images that the networks learn from.
        output: Folder of the run.
        target: Away: labelled images of other sites, for testing only.
        dataset: Names from `s2s2 datasets`, where the data lie as those data sets are distributed: one for
            all, or one for --data and one for each --target, `none` for a folder with images/ and
            masks/. `polypgen/C1+C2` takes these domains alone.
        arms: What is compared; `s2s2@appearance` is s2s2 with a stack of its own.
        split: Division of the home cases.
        stack: The semantic stack.
        audited: Audit the stack before the networks learn from it.
        audit: How it is audited.
        network: The network that all arms train.
        train: How they train it.
        attributions: Licences and citations for the foot of the report.
    """

    target: tuple[Path, ...] = ()
    arms: tuple[str, ...] = ("baseline", "augmented", "s2s2")
    split: SplitConfig = field(default_factory=SplitConfig)
    stack: StackConfig = field(default_factory=StackConfig)
    audited: bool = True
    audit: AuditConfig = field(default_factory=AuditConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    attributions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot work before anything is made."""
        Repeated.__post_init__(self)
        Sized.__post_init__(self)
        for arm in self.arms:
            get_arm(arm)
        if len(self.dataset) not in (0, 1, 1 + len(self.target)):
            raise ConfigError(
                f"--dataset takes one name for all, or one for --data and one for each of "
                f"{len(self.target)} --target, got {len(self.dataset)}: {', '.join(self.dataset)}. Write "
                "none where a folder has images/ and masks/."
            )
        if not self.arms or len(set(self.arms)) != len(self.arms):
            raise ConfigError(f"--arms takes one or more different arms, got {list(self.arms)}.")
