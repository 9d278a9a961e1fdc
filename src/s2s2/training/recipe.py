"""Recipe of a training: all that its weights depend on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from s2s2.arms import Arm
from s2s2.data.foreground import require_foreground
from s2s2.data.identity import contents
from s2s2.data.split import TrainingData
from s2s2.errors import ConfigError, TrainingError
from s2s2.networks import (
    NetworkCard,
    NetworkConfig,
    Normalisation,
    default_normalisation,
    network_inputs,
    taps,
)
from s2s2.objective import (
    ConsistencyLoss,
    SaliencyBalancing,
    SemanticStacking,
)
from s2s2.stack import LiveStack, Stack
from s2s2.training.config import TrainConfig
from s2s2.training.loss import DiceCrossEntropy


@dataclass(frozen=True)
class Recipe:
    """One training.

    Args:
        data: Training and validation cases.
        stack: Synthetic images of the training cases, where the arm shows them.
        network: Which network and where its features are tapped.
        config: Settings.
        arm: What stands beside the real image.
        seed: Of weights and draws.
    """

    data: TrainingData
    stack: Stack | LiveStack | None
    network: NetworkConfig
    config: TrainConfig
    arm: Arm
    seed: int

    def check(self) -> None:
        """Refuse what cannot be trained.

        Raises:
            TrainingError: If a split is empty, or the arm lacks its stack.
            SplitError: If a split has no foreground.
            StackError: If the stack does not fit the training cases.
        """
        for name, part in (("training", self.data.train), ("validation", self.data.validation)):
            if not len(part):
                raise TrainingError(
                    f"The {name} split is empty, and training needs cases to learn from and others to choose "
                    "the network by. Give the split more cases or larger fractions."
                )
            require_foreground(part, name)
        if self.arm.view == "stack" and self.stack is None:
            raise TrainingError(
                f"Arm {self.arm.name!r} shows copies of a stack, and no stack was given. Make one with "
                "`s2s2 stack` and give it by --stack."
            )
        if self.stack is not None:
            self.stack.verify(self.data.train)

    def inputs(self) -> dict[str, Any]:
        """Return everything that the weights depend on, by name; `data` identifies the cases."""
        stack = None if self.stack is None else {**self.stack.manifest, "software": None}
        return {
            "data": {
                "train": self.data.train.ids,
                "validation": self.data.validation.ids,
                "size": self.data.train.size,
                "class_map": self.data.train.class_map.to_dict(),
                "files": contents([*self.data.train, *self.data.validation]),
            },
            "stack": stack,
            "marks": self._marks(),
            "network": network_inputs(self.network),
            "train": asdict(self.config),
            "arm": self.arm.name,
            "seed": self.seed,
        }

    def _marks(self) -> dict[str, Any] | None:
        """Return what keeps copies from being drawn, where any is and the training heeds it."""
        if self.stack is None or self.config.marked == "keep":
            return None
        return {case_id: dict(marks) for case_id, marks in sorted(self.stack.marks.items())} or None

    @property
    def normalisation(self) -> Normalisation:
        """Applied to every image before the network."""
        return default_normalisation(self.data.train.channels)

    def card(self) -> NetworkCard:
        """Return what is stored beside the weights."""
        return NetworkCard(
            network=self.network,
            channels=self.data.train.channels,
            size=self.data.train.size,
            patch=self.config.patch,
            class_map=self.data.train.class_map,
            normalisation=self.normalisation,
            split={"train": self.data.train.ids, "validation": self.data.validation.ids},
            arm=self.arm.name,
            seed=self.seed,
            domain=self.data.train.domain,
            training=asdict(self.config),
            volumes=self.data.train.cut.config if self.data.train.cut.volumes else None,
        )


def objective_of(
    network: NetworkConfig, config: TrainConfig, arm: Arm
) -> SemanticStacking | SaliencyBalancing:
    """Return the one objective, with the weights that an arm leaves above 0; SLAug around it, where asked."""
    encoder, decoder = taps(network)
    stacking = SemanticStacking(
        DiceCrossEntropy(config.dice, config.cross_entropy),
        encoder=encoder,
        decoder=decoder,
        alpha_enc=config.alpha_enc if arm.consistency else 0.0,
        alpha_dec=config.alpha_dec if arm.consistency else 0.0,
        w_syn=config.w_syn if arm.pairs else 0.0,
        consistency=ConsistencyLoss(config.distance, weighting=config.weighting),
        forward_pass=config.forward_pass,
    )
    return SaliencyBalancing(stacking, config.slaug.grid) if arm.slaug else stacking


def cases_per_step(arm: Arm, config: TrainConfig) -> int:
    """Return the cases that share the images of a step, as many in every arm where it is as published.

    Raises:
        ConfigError: If the images of a step are no whole number of cases.
    """
    if config.as_published:
        return config.images_per_step // 2
    cases, rest = divmod(config.images_per_step, arm.views)
    if rest:
        whole = math.lcm(2, arm.views)  # even for the arms with pairs
        least = max(1, config.images_per_step // whole) * whole
        raise ConfigError(
            f"--train.images_per_step is {config.images_per_step}, and arm {arm.name!r} shows {arm.views} "
            f"images of every case. Give a multiple of {whole}, such as {least} or {least + whole}."
        )
    return cases
