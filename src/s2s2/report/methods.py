"""A paragraph on the methods that can be pasted into a paper, built from the run's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from s2s2.arms import arm_of
from s2s2.report.numbers import count, joined, plain, thousands
from s2s2.report.reading import Run
from s2s2.report.settings import Settings

CITATION = (
    "Pan et al., S2S2: Semantic Stacking for Robust Semantic Segmentation in Medical Imaging, AAAI 2025, "
    "arXiv:2412.13156"
)
"""The method's paper."""


def methods(run: Run, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paragraphs: data, stack, training, evaluation. What is not known is left out.

    Args:
        run: The tables of a run.
        manifest: Facts on the run.
    """
    settings = Settings(manifest)
    parts = (
        _data(run),
        _stack(run, settings),
        _training(run, manifest, settings),
        _evaluation(run, settings),
    )
    return tuple(part for part in parts if part)


def _data(run: Run) -> str:
    sizes = [f"{len(cases)} for {_PARTS[part]}" for part, cases in run.split.items()]
    where = f" of {run.home}" if run.home else ""
    divided = f"The labelled images{where} were divided by group into {joined(sizes)}. " if sizes else ""
    if not run.away:
        return f"{divided}All results are on held-out cases of the same domain."
    places = joined(list(run.away))
    return f"{divided}Images of {places} were used for testing alone, and no choice was made on them."


_PARTS = {"train": "training", "validation": "validation", "test": "testing"}


def _stack(run: Run, settings: Settings) -> str:
    stacked = [arm for arm in run.arms if arm_of(arm).view == "stack"]
    if not stacked:
        return ""
    depth, usual = settings.get("depth"), settings.get("generator")
    named = [arm_of(run.specs[arm]).generator or usual for arm in stacked]
    generators = list(dict.fromkeys(str(name) for name in named if name))
    copies = count(int(depth), "synthetic image") if depth else "synthetic images"
    by = f" by the generator {joined(generators)}" if generators else ""
    if len(generators) > 1:
        by = f" by each of the generators {joined(generators)}"
    fitted = "which were" if len(generators) > 1 else "which was"
    return (
        f"For each training mask a semantic stack of {copies} was made{by}, {fitted} fitted on the training "
        "cases alone."
    )


def _training(run: Run, manifest: Mapping[str, Any], settings: Settings) -> str:
    size, steps, batch = (settings.get(name) for name in ("size", "steps", "images_per_step"))
    network = settings.get("network.name") or settings.get("name")
    sentence = f"{_named(network)} was trained" if network else "The network was trained"
    if size:
        sentence += f" on images of {size} pixels along the longer side, aspect ratio kept,"
    if steps and batch:
        sentence += f" for {thousands(int(steps))} steps of {batch} images,"
    sentence += " with the Dice and cross-entropy loss and AdamW under a cosine schedule"
    rate = settings.get("learning_rate")
    sentence += f" (peak learning rate {rate:g})" if isinstance(rate, float) else ""
    sentence += "; the network with the best validation Dice was kept. "
    return f"{sentence}{_objective(run, settings)}{_arms(run, manifest)}"


def _named(network: Any) -> str:
    known = {"efficientnet-lite0-unet": "A U-Net with an ImageNet-pretrained EfficientNet-Lite0 encoder"}
    return known.get(str(network), f"The network {network}")


def _objective(run: Run, settings: Settings) -> str:
    if not any(arm_of(arm).view == "stack" and arm_of(arm).consistency for arm in run.arms):
        return ""
    weights = [
        f"{label} {value:g}"
        for name, label in (
            ("w_syn", "weight of the synthetic image's loss"),
            ("alpha_enc", "of the encoder consistency"),
            ("alpha_dec", "of the decoder consistency"),
        )
        if isinstance(value := settings.get(name), int | float)
    ]
    distance = settings.get("distance") or "cosine"
    shown = f" ({', '.join(weights)}; {distance} distance)" if weights else ""
    return f"The objective was semantic stacking [1]{shown}. "


def _arms(run: Run, manifest: Mapping[str, Any]) -> str:
    if len(run.arms) < 2:
        return f"Trained with {count(len(run.seeds), 'seed')}."
    equal = (
        "the baseline saw half as many images as the others, as published"
        if manifest.get("as_published")
        else "all saw the same number of images"
    )
    if not manifest.get("images_seen") and not manifest.get("as_published"):
        equal = "all were tested on the same cases"
    return (
        f"The arms {joined(list(run.arms))} were trained with {count(len(run.seeds), 'seed')} each; {equal}."
    )


def _evaluation(run: Run, settings: Settings) -> str:
    tolerance = settings.get("tolerance")
    surface = f" Surface Dice was taken at a tolerance of {plain(float(tolerance), 1)}." if tolerance else ""
    paired = (
        " Arms were compared by the mean paired difference with a 95 % percentile bootstrap interval over "
        f"groups{' and seeds' if len(run.seeds) > 1 else ''}, and by Wilcoxon's signed-rank test on cases, "
        "corrected by Holm's method over domains and metrics."
    )
    return (
        "Predictions were scored on the original grid. A class absent from mask and prediction was left out; "
        "a missed or invented one counted as Dice 0 and as the image diagonal in HD95."
        f"{surface}{paired if len(run.comparisons) else ''}"
    )
