"""The arm to use: the best on the validation images of home, since no other image may have a say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from s2s2.run.results import Results

CLOSE = 0.01
"""Arms whose validation Dice differs by less than this are named beside the best one."""


@dataclass(frozen=True)
class Choice:
    """The arm that a run advises to use.

    Args:
        arm: Its name, as the page shows it.
        folder: Where its networks are, one a seed.
        dice: Of every arm, the mean over the seeds of the best validation Dice; best arm first.
    """

    arm: str
    folder: Path
    dice: dict[str, float]

    @property
    def close(self) -> tuple[str, ...]:
        """The arms that are about as good."""
        return tuple(arm for arm, dice in self.dice.items() if self.dice[self.arm] - dice < CLOSE)[1:]


def arm_to_use(run: Results) -> Choice | None:
    """Return the arm whose networks have the best validation Dice; None where no training was kept.

    The validation Dice is that by which each training kept its network: of home images, as they are
    and, unless it was switched off, in strong random styles.

    Args:
        run: The results of a run.
    """
    if "validation_dice" not in run.history:
        return None
    best = run.history.groupby(["arm", "seed"])["validation_dice"].max().groupby("arm").mean().dropna()
    if best.empty:
        return None
    dice = {str(arm): float(value) for arm, value in best.sort_values(ascending=False, kind="stable").items()}
    arm = next(iter(dice))
    return Choice(arm, run.folder.training(run.specs[arm], run.seeds[0]).root.parent, dice)
