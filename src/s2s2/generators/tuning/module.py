"""Lightning module of a tuning: what a generator that learns must bring."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from s2s2.core.engine.schedule import scheduled
from s2s2.core.storage import atomic
from s2s2.core.streams import stream
from s2s2.core.types import Image
from s2s2.data.case import Case
from s2s2.errors import ConfigError, GeneratorError
from s2s2.generators.tuning.config import TuneConfig
from s2s2.generators.tuning.record import check_weights

WEIGHTS = "weights.safetensors"


class TunedModule(L.LightningModule):
    """Learns to make images; subclasses say how.

    All that learns lies in `learnt`; what else the module holds stays as it is, is
    not saved and may be large. No draw may come from a global generator: the loss is
    handed one that depends on the seed, the batch's number and the process alone, so
    that a tuning which was killed goes on as if it had not been.

    Args:
        learnt: The network that learns, and is averaged, saved and sampled from.
        config: Settings of the tuning.
    """

    def __init__(self, learnt: nn.Module, config: TuneConfig) -> None:
        super().__init__()
        self.learnt = learnt
        self.config = config
        self.loss_sum = torch.zeros(())
        self.losses = 0
        # A state holds what learns alone.
        self.strict_loading = False

    @abstractmethod
    def loss(self, batch: Any, noise: torch.Generator) -> Tensor:
        """Return the mean loss of a batch of items; all chance comes from `noise`, on the CPU."""

    @abstractmethod
    def sample(self, cases: Sequence[Case], numbers: Sequence[int], seed: int) -> list[Image]:
        """Return one image for each case, its copy of the number beside it.

        Shape:
            - returns: (channel, height, width) each, on the training cases' grid, in [0, 1].
        """

    def weights_file(self, folder: Path) -> Path:
        """Return the file of weights that `write` writes, by whose digest they are known."""
        return folder / WEIGHTS

    def write(self, folder: Path) -> None:
        """Write the weights of `learnt` into the folder, whole or not at all."""
        tensors = {name: tensor.contiguous() for name, tensor in self.learnt.state_dict().items()}
        with atomic(self.weights_file(folder)) as temporary:
            save_file(tensors, str(temporary))

    def load(self, folder: Path, record: Mapping[str, Any]) -> None:
        """Put the kept weights of a finished tuning, from `write`, into `learnt`.

        Raises:
            GeneratorError: If the file is not the one that the record names, or does not fit.
        """
        path = self.weights_file(folder)
        check_weights(path, record)
        try:
            self.learnt.load_state_dict(load_file(str(path)))
        except (SafetensorError, RuntimeError) as error:
            raise GeneratorError(
                f"The weights {path} do not fit the network of these settings ({error}). Delete the folder "
                "to tune again."
            ) from error

    def trainable_parameters(self) -> list[nn.Parameter]:
        """Return what the optimiser moves."""
        return [parameter for parameter in self.learnt.parameters() if parameter.requires_grad]

    def training_step(self, batch: Any, index: int) -> Tensor:
        """Return the loss of a batch."""
        number = self.config.batches_of(self.current_epoch).start + index
        noise = torch.Generator()
        noise.manual_seed(int(stream(self.config.seed, "tuning", number, self.global_rank).integers(2**63)))
        loss = self.loss(batch, noise)
        self.loss_sum = self.loss_sum.to(loss.device) + loss.detach()
        self.losses += 1
        return loss

    def interval_loss(self) -> float:
        """Return the mean loss since the last call."""
        mean = float(self.loss_sum) / max(1, self.losses)
        self.loss_sum, self.losses = torch.zeros(()), 0
        return mean

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep what learns; the rest comes from where it came from."""
        checkpoint["state_dict"] = {}
        checkpoint["learnt"] = self.learnt.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the weights as they were."""
        self.learnt.load_state_dict(checkpoint["learnt"])

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW under a linear warm-up, then constant or a cosine to zero."""
        optimiser = _adamw(self.config)(
            self.trainable_parameters(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        config = self.config
        return scheduled(
            optimiser,
            steps=config.steps,
            warmup=min(config.warmup, config.steps // 2),
            decay=config.schedule,
        )


def _adamw(config: TuneConfig) -> Any:
    """Return the class of the optimiser."""
    if not config.eight_bit:
        return torch.optim.AdamW
    try:
        from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ConfigError(
            "tuning: eight_bit keeps the optimiser's state by bitsandbytes, which is not installed here. "
            "Install it (`pip install bitsandbytes`, for GPUs), or leave eight_bit off."
        ) from error
    return AdamW8bit
