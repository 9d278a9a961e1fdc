"""A paragraph on the methods that can be pasted into a paper, built from the run's settings."""

from __future__ import annotations

from collections.abc import Mapping

from s2s2.arms import arm_of
from s2s2.data.reading.manifest import PARTS
from s2s2.networks import BUILT_IN, NetworkConfig
from s2s2.report.numbers import TIMES, count, joined, plain, thousands
from s2s2.report.volumes.words import Nouns
from s2s2.run.config import RunConfig
from s2s2.run.results import Results
from s2s2.training.config import TrainConfig

CITATION = (
    "Pan et al., S2S2: Semantic Stacking for Robust Semantic Segmentation in Medical Imaging, AAAI 2025, "
    "arXiv:2412.13156"
)
"""The method's paper."""
SLAUG = "Su et al., AAAI 2023, arXiv:2211.14805"
"""The paper of the arms with SLAug."""

_PURPOSES = {"train": "training", "validation": "validation", "test": "testing"}
_OPTIMISERS = {"adamw": "AdamW", "adam": "Adam", "sgd": "gradient descent with momentum 0.9"}
_SCHEDULES = {
    "cosine": "under a cosine schedule",
    "polynomial": "under a polynomial schedule of exponent 0.9",
    "plateau": "at a rate that was halved where the validation Dice no longer rose",
    "constant": "at a constant rate",
}


def methods(
    run: Results, *, parts: Mapping[str, str] | None = None, nouns: Nouns | None = None
) -> tuple[str, ...]:
    """Return the paragraphs: data, stack, training, evaluation. What is not known is left out.

    Args:
        run: The results of a run.
        parts: How many cases are in each part of the split, as text.
        nouns: What its cases and groups are called.
    """
    nouns = nouns or Nouns()
    config = run.config
    training = _arms(run) if config is None else _training(run, config)
    stack = "" if config is None else _stack(run, config)
    return tuple(
        part for part in (_data(run, parts or {}, nouns), stack, training, _evaluation(run, nouns)) if part
    )


def _data(run: Results, parts: Mapping[str, str], nouns: Nouns) -> str:
    sizes = [f"{parts[name]} for {_PURPOSES[name]}" for name in PARTS if name in parts]
    where = f" of {run.home}" if run.home else ""
    what = "volumes" if nouns.volumes else "images"
    divided = (
        f"The labelled {what}{where} were divided by {nouns.group} into {joined(sizes)}. " if sizes else ""
    )
    if not run.away:
        return f"{divided}All results are on held-out {nouns.case}s of the same domain."
    domains = joined(list(run.away))
    rest = f"{what.capitalize()} of {domains} were used for testing alone, and no choice was made on them."
    return f"{divided}{rest}"


def _stack(run: Results, config: RunConfig) -> str:
    arms = [arm_of(run.specs[arm]) for arm in run.arms]
    named = [arm.generator or config.stack.generator for arm in arms if arm.view == "stack"]
    if not named:
        return ""
    generators = list(dict.fromkeys(named))
    many = len(generators) > 1
    made = f"a semantic stack of {count(config.stack.stored, 'synthetic image')} was made"
    if config.stack.depth == "live":
        made = "a new synthetic image was made for every visit while training,"
    by = f"by {'each of the generators' if many else 'the generator'} {joined(generators)}"
    return (
        f"For each training mask {made} "
        f"{by}, which {'were' if many else 'was'} fitted on the training cases alone."
    )


def _training(run: Results, config: RunConfig) -> str:
    train = config.train
    return (
        f"The network {_network(config.network)} was trained on images of {config.size} pixels along the "
        "longer side, aspect ratio kept, "
        f"for {thousands(train.steps)} steps of {train.images_per_step} images, with the {_loss(train)} and "
        f"{_OPTIMISERS[train.optimiser]} {_SCHEDULES[train.schedule]} (peak learning rate "
        f"{train.learning_rate:g}); the network with the best validation Dice was kept{_chosen(train)}. "
        f"{_objective(run, config)}{_slaug(run, train)}{_arms(run)}"
    )


def _network(config: NetworkConfig) -> str:
    """Name a network; of one that goes by a name, its papers and what it started from too."""
    known = BUILT_IN.get(config.name)
    if known is None:
        return config.name
    start = f"pretrained weights ({known.weights})" if config.pretrained else "random weights"
    return f"{config.name} ({known.reference}), which started from {start},"


def _loss(train: TrainConfig) -> str:
    if train.dice == train.cross_entropy == 1:
        return "sum of Dice loss and cross-entropy"
    return f"loss {train.dice:g} {TIMES} Dice + {train.cross_entropy:g} {TIMES} cross-entropy"


def _chosen(train: TrainConfig) -> str:
    if not train.stressed:
        return ""
    return ", the mean over the images as they are and in strong random styles of less quality"


def _objective(run: Results, config: RunConfig) -> str:
    if not any(arm_of(arm).view == "stack" and arm_of(arm).consistency for arm in run.arms):
        return ""
    train = config.train
    return (
        f"The objective was semantic stacking [1] (weight of the synthetic image's loss {train.w_syn:g}, of "
        f"the encoder consistency {train.alpha_enc:g}, of the decoder consistency {train.alpha_dec:g}; "
        f"{train.distance} distance). "
    )


def _slaug(run: Results, train: TrainConfig) -> str:
    names = [arm for arm in run.arms if arm_of(run.specs[arm]).slaug]
    if not names:
        return ""
    cells = f"{train.slaug.grid} {TIMES} {train.slaug.grid} cells"
    return (
        f"In {joined(names)} the real image was augmented by SLAug ({SLAUG}): location-scale views of the "
        f"whole image and of each class, fused by saliency on {cells}. "
    )


def _arms(run: Results) -> str:
    seeds = count(len(run.seeds), "seed")
    if len(run.arms) < 2:
        return f"Trained with {seeds}."
    if run.config is None:
        equal = "all were tested on the same cases"
    elif run.config.train.as_published and any(arm_of(run.specs[arm]).slaug for arm in run.arms):
        equal = "all took as many cases a step, whatever they showed of each, as published"
    elif run.config.train.as_published:
        equal = "the baseline saw half as many images as the others, as published"
    else:
        equal = "all saw the same number of images"
    return f"The arms {joined(list(run.arms))} were trained with {seeds} each; {equal}."


def _evaluation(run: Results, nouns: Nouns) -> str:
    tolerance = None if run.config is None else run.config.tolerance
    surface = f" Surface Dice was taken at a tolerance of {plain(tolerance, 1)}." if tolerance else ""
    paired = (
        " Arms were compared by the mean paired difference with a 95 % percentile bootstrap interval over "
        f"{nouns.group}s{' and seeds' if len(run.seeds) > 1 else ''}, and by Wilcoxon's signed-rank test on "
        f"{nouns.case}s, corrected by Holm's method over domains and metrics."
    )
    scored = "Predictions were scored on the original grid."
    if nouns.volumes:
        scored = "Each volume was scored as a whole, on its original grid, distances in three dimensions."
    return (
        f"{scored} A class absent from mask and prediction was left out; "
        "a missed or invented one counted as Dice 0 and, in HD95 and ASSD, as the diagonal of that grid."
        f"{surface}{paired if len(run.comparisons) else ''}"
    )
