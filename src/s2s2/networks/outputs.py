"""Checks of what a network returns, in training and in evaluation mode."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from s2s2.errors import NetworkError, S2S2Error


def check_output(
    name: str, network: nn.Module, images: Tensor, classes: int, *, training: bool = False, advice: str = ""
) -> None:
    """Send images through a network and refuse what are no logits of them.

    Args:
        name: Of the network, for errors.
        network: Left in the mode that it is in; in training mode its buffers change.
        images: (batch, channel, height, width).
        classes: Of the logits.
        training: Whether the network is in training mode in this pass.
        advice: What to do where it does not take the images, as sentences.

    Raises:
        NetworkError: If it fails, or returns anything but a tensor (batch, class, height, width).
    """
    before = network.training
    try:
        with torch.no_grad():
            logits = network.train(training)(images)
    except S2S2Error:
        raise
    except Exception as error:  # whatever a foreign network raises, the user reads one paragraph
        doing = "cannot be trained with" if training else "does not take"
        raise NetworkError(
            f"The network {name} {doing} images of shape {tuple(images.shape)}: {brief(error)}. "
            f"{advice or 'Change its init_args, or the size of the images.'}"
        ) from error
    finally:
        network.train(before)
    when = " in training mode" if training else ""
    if not isinstance(logits, Tensor):
        raise NetworkError(
            f"The network {name} returned {type(logits).__name__}{when}, expected one tensor of logits. Turn "
            "its other outputs off (deep supervision is one), or wrap it in a module that returns the logits."
        )
    expected = (len(images), classes, *images.shape[2:])
    if tuple(logits.shape) != expected:
        cure = (
            "Turn its other outputs off (deep supervision is one), and give it an output as large as the "
            "input."
            if training
            else f"Give it {classes} output channels ('{{classes}}' in init_args) and an output as large as "
            "the input."
        )
        raise NetworkError(
            f"The network {name} returned logits of shape {tuple(logits.shape)} for images of shape "
            f"{tuple(images.shape)}{when}, expected {expected}: (batch, class, height, width). {cure}"
        )


def brief(error: Exception) -> str:
    """Return a foreign error in one line, without the full stop."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    return f"{type(error).__name__}: {lines[0].rstrip('.')}"
