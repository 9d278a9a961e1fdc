"""Dry run of a network before it learns: a small step in training mode, an image in evaluation mode."""

from __future__ import annotations

import torch

from s2s2.arms import Arm
from s2s2.errors import NetworkError, S2S2Error
from s2s2.networks.build import build_network, completed
from s2s2.networks.config import NetworkConfig
from s2s2.networks.outputs import brief, check_output
from s2s2.training.config import TrainConfig
from s2s2.training.recipe import cases_per_step, objective_of


def rehearse(
    network: NetworkConfig, config: TrainConfig, arm: Arm, *, channels: int, classes: int, side: int
) -> None:
    """Do with a network of random weights what a training does, and refuse what cannot work.

    One or two black images stand for a batch: two are to normalisation over the batch what
    many are. Random numbers stay where they were, so a training is the same with and without.

    Args:
        network: Which one.
        config: Settings of the training.
        arm: It decides, with the settings, how many images go through the network at once.
        channels: Of the images.
        classes: Of the logits.
        side: Height and width of the images in pixels.

    Raises:
        ConfigError: If the images of a step are no whole number of cases.
        NetworkError: If the network fails in either mode or returns no logits of the images' size,
            such as the several outputs of deep supervision.
        TapError: If a tap cannot be learnt from.
    """
    cases = max(1, cases_per_step(arm, config) // (config.devices * config.nodes))
    # The first pass of SLAug is over one view of each case.
    joint = arm.pairs and not arm.slaug and config.forward_pass == "joint"
    at_once = 2 if joint else min(2, cases)
    with torch.random.fork_rng(devices=[]):
        plain = completed(network).untrained()
        built = build_network(plain, channels=channels, classes=classes, size=side)
        images = torch.zeros(at_once, channels, side, side)
        advice = _one_image(arm, config) if at_once == 1 else ""
        check_output(network.name, built, images, classes, training=True, advice=advice)
        check_output(network.name, built, images[:1], classes)
        objective = objective_of(network, config, arm)
        half = images[: 1 if joint else at_once]
        mask = torch.zeros(len(half), side, side, dtype=torch.long)
        try:
            views = [half, half] if arm.slaug else [half]
            objective(built.train(), *views, half if arm.pairs else None, mask)
        except S2S2Error:
            raise
        except Exception as error:  # as in `check_output`
            raise NetworkError(
                f"The network {network.name} cannot be trained in arm {arm.name}: {brief(error)}. Change its "
                "init_args, or its taps (--network.encoder_taps, --network.decoder_taps)."
            ) from error
        finally:
            objective.close()


def _one_image(arm: Arm, config: TrainConfig) -> str:
    """Say how two images go through the network at once where one does."""
    least = 2 * (2 if config.as_published else arm.views) * config.devices * config.nodes
    joint = ", --train.forward_pass joint" if arm.pairs and not arm.slaug else ""
    return (
        f"With these settings one image goes through it at once, and normalisation over a batch needs two: "
        f"give --train.images_per_step {least} or more{joint}, or take a network without it."
    )
