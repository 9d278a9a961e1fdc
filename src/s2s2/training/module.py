"""Lightning module of a training: the objective of a step, the Dice of the validation split."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from s2s2.core.engine.callbacks import require_finite
from s2s2.core.engine.schedule import on_plateau, scheduled
from s2s2.errors import TrainingError
from s2s2.networks.inference import infer_logits
from s2s2.networks.normalisation import Normalisation
from s2s2.objective import Collapse, SaliencyBalancing, SemanticStacking, Terms
from s2s2.training.config import TrainConfig

VALIDATION = ("validation_dice", "validation_clean", "validation_stressed")
"""Dice of a validation: what the best network is chosen by, of images as they are, of stressed ones."""
OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": partial(torch.optim.SGD, momentum=0.9),
}
"""Optimisers by the value of `TrainConfig.optimiser`."""


class StackingModule(L.LightningModule):
    """Trains any segmentation network by semantic stacking.

    Args:
        network: Maps (batch, channel, height, width) to logits (batch, class, height, width).
        objective: Loss of a pair; in arms without a second view its weights are 0. Or that loss on top of
            SLAug, for batches with a local view.
        normalisation: Applied to every image before the network.
        config: Settings of the training.
    """

    def __init__(
        self,
        network: nn.Module,
        objective: SemanticStacking | SaliencyBalancing,
        normalisation: Normalisation,
        config: TrainConfig,
    ) -> None:
        super().__init__()
        self.network = network
        self.objective = objective
        self.normalisation = normalisation
        self.config = config
        self.sums: dict[str, Tensor] = {}
        self.steps_summed = 0
        self.collapse: Mapping[str, Collapse] = {}
        self.case_dice: dict[bool, list[Tensor]] = {}
        self.validation: dict[str, float] = {}

    def training_step(self, batch: dict[str, Any], index: int) -> Tensor:
        """Return the objective of one batch of pairs; the last of an interval is also metered."""
        terms = self._terms(batch, collapse=index + 1 == self.config.interval)
        self.collapse = terms.collapse
        for name, value in terms._asdict().items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(value)) + value.detach()
        self.steps_summed += 1
        return terms.total

    def _terms(self, batch: dict[str, Any], *, collapse: bool) -> Terms:
        image, synthetic = self.normalisation(batch["image"]), batch.get("synthetic")
        if synthetic is not None:
            synthetic = self.normalisation(synthetic)
        rest = synthetic, batch["mask"], batch.get("ignore")
        if isinstance(self.objective, SaliencyBalancing):
            local = self.normalisation(batch["local"])
            return self.objective.terms(self.network, image, local, *rest, collapse=collapse)
        return self.objective.terms(self.network, image, *rest, collapse=collapse)

    def interval_means(self) -> dict[str, float]:
        """Return the mean of every term since the last call; a term that the arm lacks is NaN.

        Raises:
            TrainingError: If the total loss is not finite.
        """
        means = {name: float(total) / self.steps_summed for name, total in self.sums.items()}
        self.sums, self.steps_summed = {}, 0
        require_finite(
            means["total"],
            self.global_step,
            self.config,
            kept="The best network so far is kept",
            error=TrainingError,
        )
        return means

    def interval_meters(self) -> dict[str, float]:
        """Return how much the features of every side were alike."""
        return {
            f"{side}_{name}": value
            for side, found in self.collapse.items()
            for name, value in found._asdict().items()
        }

    def validation_step(self, batch: dict[str, Any], _index: int) -> None:
        """Collect the Dice of every case and class, NaN where a class is absent."""
        logits = infer_logits(self.network, self.normalisation(batch["image"]), self.config.patch)
        dice = case_dice(logits.argmax(1), batch["mask"], logits.shape[1])
        for kind in (False, True):
            self.case_dice.setdefault(kind, []).append(dice[batch["stressed"] == kind])

    def on_validation_epoch_end(self) -> None:
        """Average over the cases of each class, then over the classes, then over the kinds of image."""
        found = {kind: float(torch.cat(each).nanmean(0).nanmean()) for kind, each in self.case_dice.items()}
        self.case_dice = {}
        clean, under_stress = found[False], found[True]
        chosen = clean if math.isnan(under_stress) else (clean + under_stress) / 2
        self.validation = dict(zip(VALIDATION, (chosen, clean, under_stress), strict=True))
        if self.config.schedule == "plateau":  # Lightning hands the schedule what was logged
            self.log(VALIDATION[0], chosen)

    @property
    def validation_dice(self) -> float:
        """The Dice that the best network is chosen by, NaN before the first validation."""
        return self.validation.get(VALIDATION[0], math.nan)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the state of torch's random numbers, which dropout draws from."""
        checkpoint["torch_rng"] = torch.get_rng_state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the random numbers where they stood."""
        torch.set_rng_state(checkpoint["torch_rng"].cpu())

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return the optimiser under its schedule."""
        config = self.config
        make = OPTIMISERS[config.optimiser]
        optimiser = make(self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        if config.schedule == "plateau":
            return on_plateau(optimiser, VALIDATION[0])
        steps = config.interval * config.epochs
        warmup = max(1, round(config.warmup * steps))
        return scheduled(optimiser, steps=steps, warmup=warmup, decay=config.schedule)


def case_dice(prediction: Tensor, mask: Tensor, classes: int) -> Tensor:
    """Dice of every case and foreground class, NaN where mask and prediction are both empty.

    Shape:
        - prediction, mask: (batch, height, width), class ids.
        - returns: (batch, classes - 1).

    Example:
        >>> case_dice(torch.tensor([[[1, 1, 0]]]), torch.tensor([[[1, 0, 0]]]), 2).item()
        0.6666666865348816
    """
    scores = []
    for label in range(1, classes):
        predicted, true = prediction == label, mask == label
        both = (predicted & true).sum((1, 2))
        scores.append(2 * both / (predicted.sum((1, 2)) + true.sum((1, 2))))
    return torch.stack(scores, 1).float()
