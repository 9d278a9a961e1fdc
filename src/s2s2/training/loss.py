"""The segmentation loss of the trainings."""

from __future__ import annotations

from monai.losses.dice import DiceCELoss
from torch import Tensor, nn


class DiceCrossEntropy(nn.Module):
    """MONAI's soft Dice plus cross-entropy, of logits and a label map.

    Dice is taken over the whole batch and the foreground classes, so that an image
    without a class does not pull that class's score to zero.

    Shape:
        - logits: (batch, class, height, width).
        - mask: (batch, height, width), class ids.
        - returns: a scalar.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loss = DiceCELoss(softmax=True, to_onehot_y=True, include_background=False, batch=True)

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Return the loss."""
        result: Tensor = self.loss(logits, mask[:, None])
        return result
