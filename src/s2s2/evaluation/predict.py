"""Prediction: label maps for a folder of images, each on its own grid."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from s2s2.core.inputs import Inputs
from s2s2.core.progress import Count
from s2s2.core.records import content_digest, file_identity
from s2s2.core.storage import refuse_links, storage_errors
from s2s2.core.types import Vectors
from s2s2.data.case import Case
from s2s2.data.dataset import Dataset
from s2s2.errors import ConfigError, DataError, NetworkError
from s2s2.evaluation.batches import Placed, cut, read
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.unlabelled import Unlabelled
from s2s2.networks.checkpoint import CARD, NetworkCard, read_card
from s2s2.networks.config import NetworkConfig
from s2s2.networks.ensemble import Ensemble, load_ensemble, members
from s2s2.pictures import overlay


@dataclass(frozen=True, slots=True)
class PredictReport:
    """What was predicted and what was not.

    Args:
        written: Ids of the cases that were predicted now.
        kept: Ids of the cases whose prediction was there already.
        failed: What is wrong with each image that was skipped, by case id.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]
    failed: dict[str, str]


def predict(
    network_folder: str | Path,
    dataset: Dataset,
    output: str | Path,
    *,
    probabilities: bool = False,
    overlays: bool = False,
    batch: int = 8,
    device: str = "auto",
    overwrite: bool = False,
    progress: Count | None = None,
    trust: Collection[str] = (),
    known: NetworkConfig | None = None,
    flips: bool | None = None,
    adapted: bool = False,
) -> PredictReport:
    """Segment every image of a data set with a trained network, or with all seeds of an arm.

    Each image goes through on the working grid, padded and normalised as in training, by
    a sliding window where training saw patches. The class is taken on the image's own grid.
    Unreadable images are skipped. Whole predictions of the same network and image are kept.

    Args:
        network_folder: What `save_network` wrote, or the folder of an arm, whose seeds then predict
            together: the mean of their probabilities decides.
        dataset: The images; masks are not needed.
        output: Folder to write to; see `PredictionFolder` for the files.
        probabilities: Whether to write the probability of each class too.
        overlays: Whether to write pictures too, the classes over the image.
        batch: Images that go through the network at once, 1 or more.
        device: auto, or a name that torch knows.
        overwrite: Whether to predict again what is there already.
        progress: Called with the number of images done and of all images.
        trust: As `load_ensemble` takes it.
        known: As `load_ensemble` takes it.
        flips: As `load_ensemble` takes it.
        adapted: Whether to adapt the networks to the images first, see `adapt_batch_norm`.

    Raises:
        NetworkError: If the network cannot be loaded or adapted, needs other channels, or gives NaN.
        EvaluationError: If a network cannot be adapted to these images, see `Unlabelled`.
        ConfigError: If `batch` or `device` cannot be used.
    """
    _check_order(batch, output)
    chosen = torch_device(device)
    cards = _cards(network_folder, dataset)
    working = dataset.resized(cards[0].size)
    images = Unlabelled(working, cards) if adapted else None
    ensemble = load_ensemble(network_folder, chosen, flips=flips, trust=trust, known=known, adapted_to=images)
    work = _Work(
        ensemble=ensemble,
        working=working,
        native=dataset.resized(None) if overlays else None,
        folder=PredictionFolder(output),
        probabilities=probabilities,
        device=chosen,
        progress=progress,
    )
    _predict_and_note(work, _facts(network_folder, ensemble, images), batch, overwrite=overwrite)
    return PredictReport(tuple(work.written), tuple(work.kept), work.failed)


def _predict_and_note(work: _Work, facts: dict[str, Any], batch: int, *, overwrite: bool) -> None:
    """Predict what is not there yet, and write down which images and label maps belong together."""
    before = work.folder.facts
    same = all(before.get(name) == facts[name] for name in ("network", "flips", "adapted"))
    ours = before if same and not overwrite else {}
    written = ours.get("label_maps", {})
    facts["images"] = work.plan(ours.get("images", {}), written)
    again = {case.id for case, _ in work.todo}
    facts["label_maps"] = {case_id: digest for case_id, digest in written.items() if case_id not in again}
    work.folder.write_facts(facts)
    for part in cut(work.todo, batch):
        work.run(part)
    # Those that were kept too: a call that was killed wrote down no label map.
    facts["label_maps"] = {
        case_id: file_identity(work.folder.label_map(case_id)) for case_id in (*work.kept, *work.written)
    }
    work.folder.write_facts(facts | {"failed": work.failed})


def _cards(network_folder: str | Path, dataset: Dataset) -> list[NetworkCard]:
    """Read what the networks are, and refuse those that do not fit the images."""
    cards = [read_card(folder) for folder in members(network_folder)]
    _check_channels(cards[0], dataset)
    return cards


def _facts(network_folder: str | Path, ensemble: Ensemble, adapted_to: Unlabelled | None) -> dict[str, Any]:
    """Name the networks, their classes and the cases they were trained on or chosen by."""
    # A card names its weights: a later network keeps no prediction of this one.
    digests = [content_digest(folder / CARD) for folder in members(network_folder)]
    learnt = set().union(*(ids for card in ensemble.cards for ids in card.split.values()))
    return {
        "network": digests[0] if len(digests) == 1 else Inputs({"networks": digests}).digest,
        "flips": [list(axes) for axes in ensemble.flips],
        "adapted": adapted_to.digest if adapted_to is not None else None,
        "classes": list(ensemble.card.class_map.names),
        "learnt": {"domain": ensemble.card.domain, "cases": sorted(learnt)},
    }


def torch_device(name: str) -> torch.device:
    """Return the device of this name; auto takes the best that is there.

    Raises:
        ConfigError: If there is no such device.

    Example:
        >>> torch_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    # A build without CUDA raises AssertionError, an unknown name RuntimeError.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(
            f"The device {name!r} cannot be used here ({str(error).splitlines()[0]}). "
            "Choose auto, cpu or cuda."
        ) from error
    return device


@dataclass
class _Work:
    """One call of `predict`: what it needs and what became of each case."""

    ensemble: Ensemble
    working: Dataset
    native: Dataset | None
    folder: PredictionFolder
    probabilities: bool
    device: torch.device
    progress: Count | None
    todo: list[Placed] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def plan(self, known: Mapping[str, str], written: Mapping[str, str]) -> dict[str, str]:
        """Sort the cases into those to predict, those that are whole and those that cannot be read.

        Args:
            known: Identity of the image of each prediction of this network that is there.
            written: Identity of the label map, as far as the call that wrote it came to its end.

        Returns:
            The same as `known` for the predictions that will be there. One of another image, or that
            was altered since, is removed first.
        """
        images = dict(known)
        for case in self.working.cases:
            try:
                placement = self.working.placement(case)
            except DataError as error:
                self.failed[case.id] = str(error)
                continue
            images[case.id] = file_identity(case.image_path)
            same = known.get(case.id) == images[case.id] and self.folder.holds(
                case.id, placement.original, probabilities=self.probabilities, overlay=self.native is not None
            )
            path = self.folder.label_map(case.id)
            if same and written.get(case.id, digest := file_identity(path)) == digest:
                self.kept.append(case.id)
            else:
                self.todo.append((case, placement))
                with storage_errors(self.folder.root):
                    path.unlink(missing_ok=True)
        self.report_progress()
        return images

    def run(self, part: list[Placed]) -> None:
        """Predict a batch of images of one padded shape and write what comes out."""
        placed, images = read(self.working, part, self.failed)
        if images:
            for (case, placement), scores in zip(placed, self._infer(images, placed), strict=True):
                self._write(case, placement.restore(scores).numpy())
                self.written.append(case.id)
        self.report_progress()

    def report_progress(self) -> None:
        """Say how many images are done."""
        if self.progress is not None:
            self.progress(len(self.written) + len(self.kept) + len(self.failed), len(self.working))

    def _infer(self, images: list[Tensor], placed: list[Placed]) -> Tensor:
        """Return the probabilities of a batch: (batch, class, *padded), on the CPU."""
        stacked = torch.stack(images).to(self.device)
        with torch.inference_mode():
            try:
                return self.ensemble.posteriors(stacked).cpu()
            except NetworkError as error:
                names = ", ".join(case.id for case, _ in placed)
                raise NetworkError(f"{error} The images were {names}.") from error

    def _write(self, case: Case, scores: Vectors) -> None:
        """Write the files of one case; the label map comes last, since it says that all is there."""
        labels = scores.argmax(0).astype(np.uint8)
        if self.probabilities:
            self.folder.write_probabilities(case.id, scores)
        if self.native is not None:
            picture = overlay(self.native.image(case), labels, self.ensemble.card.class_map.colours)
            self.folder.write_overlay(case.id, picture)
        self.folder.write(case.id, labels)


def _check_order(batch: int, output: str | Path) -> None:
    """Refuse a batch without images, and an output that leads elsewhere."""
    if batch < 1:
        raise ConfigError(f"batch is {batch}, expected the images that go through at once, 1 or more.")
    refuse_links(output)


def _check_channels(card: NetworkCard, dataset: Dataset) -> None:
    """Refuse images with other channels than the network was trained on."""
    if card.channels == dataset.channels:
        return
    hint = (
        f"Open the data with channels={card.channels} (--channels {card.channels})."
        if {card.channels, dataset.channels} == {1, 3}
        else "Train a network on such images."
    )
    raise NetworkError(
        f"The network {card.network.name} was trained on images of {card.channels} channel(s), but the "
        f"images of {dataset.root} have {dataset.channels}. {hint}"
    )
