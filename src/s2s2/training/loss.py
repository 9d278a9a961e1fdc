"""The segmentation loss of the trainings."""

from __future__ import annotations

from monai.losses.dice import DiceCELoss
from torch import Tensor, nn


class DiceCrossEntropy(nn.Module):
    """MONAI's soft Dice plus cross-entropy, of logits and a label map.

    Dice is taken over the whole batch and the foreground classes, so that an image
    without a class does not pull that class's score to zero.

    Args:
        dice: Weight of the soft Dice loss, at least 0.
        cross_entropy: Weight of the cross-entropy, at least 0.

    Shape:
        - logits: (batch, class, height, width).
        - mask: (batch, height, width), class ids.
        - returns: a scalar.
    """

    def __init__(self, dice: float = 1.0, cross_entropy: float = 1.0) -> None:
        super().__init__()
        self.loss = DiceCELoss(
            softmax=True,
            to_onehot_y=True,
            include_background=False,
            batch=True,
            lambda_dice=dice,
            lambda_ce=cross_entropy,
        )

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Return the loss."""
        result: Tensor = self.loss(logits, mask[:, None])
        return result
