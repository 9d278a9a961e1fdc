"""Prediction: label maps for a folder of images, each on its own grid."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from s2s2.core.inputs import Inputs
from s2s2.core.progress import Count
from s2s2.core.records import content_digest, file_identity
from s2s2.core.storage import refuse_links, storage_errors
from s2s2.data.dataset import Dataset
from s2s2.data.volumes.volume import Volume
from s2s2.errors import ConfigError, DataError, NetworkError
from s2s2.evaluation.batches import Placed, cut, read
from s2s2.evaluation.components import class_ids
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.unlabelled import Unlabelled
from s2s2.evaluation.writing import Writer
from s2s2.networks.checkpoint import CARD, NetworkCard, read_card
from s2s2.networks.config import NetworkConfig
from s2s2.networks.ensemble import Ensemble, load_ensemble, members


@dataclass(frozen=True, slots=True)
class PredictReport:
    """What was predicted and what was not.

    Args:
        written: Ids of the images and volumes that were predicted now.
        kept: Ids of those whose prediction was there already.
        failed: What is wrong with each image or volume that was skipped, by its id.
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
    largest: Sequence[str] = (),
    dicom_seg: bool = False,
) -> PredictReport:
    """Segment every image of a data set with a trained network, or with all seeds of an arm.

    Each image goes through on the working grid, padded and normalised as in training, by
    a sliding window where training saw patches. The class is taken on the image's own grid.
    Volumes are predicted slice by slice and written as volumes. Unreadable images are skipped.
    Whole predictions of the same network and image are kept.

    Args:
        network_folder: What `save_network` wrote, or an arm, the mean of whose seeds then decides.
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
        largest: Classes of which the largest connected region alone is kept.
        dicom_seg: Whether to write the label maps of DICOM series as DICOM-SEG instead of NIfTI.

    Raises:
        NetworkError: If the network cannot be loaded or adapted, needs other channels, or gives NaN.
        EvaluationError: If a network cannot be adapted to these images, see `Unlabelled`.
        ConfigError: If `batch`, `device` or `largest` cannot be used.
    """
    _check_order(batch, output)
    chosen = torch_device(device)
    cards = _cards(network_folder, dataset)
    working = dataset.resized(cards[0].size)
    images = Unlabelled(working, cards) if adapted else None
    ensemble = load_ensemble(network_folder, chosen, flips=flips, trust=trust, known=known, adapted_to=images)
    native = dataset.resized(None) if overlays else None
    classes, folder = cards[0].class_map, PredictionFolder(output)
    writer = Writer(folder, classes, native, probabilities, class_ids(largest, classes), dicom_seg)
    work = _Work(ensemble=ensemble, working=working, device=chosen, progress=progress, writer=writer)
    facts = _facts(network_folder, ensemble, images) | {"largest": list(largest) or None}
    _predict_and_note(work, facts, batch, overwrite=overwrite)
    return PredictReport(tuple(writer.written), tuple(work.kept), work.failed)


def _predict_and_note(work: _Work, facts: dict[str, Any], batch: int, *, overwrite: bool) -> None:
    """Predict what is not there yet, and write down which images and label maps belong together."""
    before = work.folder.facts
    same = all(before.get(name) == facts[name] for name in ("network", "flips", "adapted", "largest"))
    ours = before if same and not overwrite else {}
    written = ours.get("label_maps", {})
    facts["images"] = work.plan(ours.get("images", {}), written)
    again = work.again
    facts["label_maps"] = {case_id: digest for case_id, digest in written.items() if case_id not in again}
    work.folder.write_facts(facts)
    for part in cut(work.todo, batch):
        work.run(part)
    # Those that were kept too: a call that was killed wrote down no label map.
    done = {*work.kept, *work.writer.written}
    facts["label_maps"] = {
        output.id: file_identity(work.writer.path(output)) for output in work.outputs if output.id in done
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
    """One call of `predict`: what it needs and what became of each image and volume."""

    ensemble: Ensemble
    working: Dataset
    device: torch.device
    progress: Count | None
    writer: Writer
    todo: list[Placed] = field(default_factory=list)
    again: set[str] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    done: int = 0

    def __post_init__(self) -> None:
        """List what is written, each in a file of its own."""
        self.outputs = self.writer.outputs(self.working.volumes)
        self.failed.update(self.working.cut.skipped)

    @property
    def folder(self) -> PredictionFolder:
        """Where the predictions go."""
        return self.writer.folder

    def plan(self, known: Mapping[str, str], written: Mapping[str, str]) -> dict[str, str]:
        """Sort images and volumes into those to predict, those that are whole and those that cannot be read.

        Args:
            known: Identity of the image of each prediction of this network that is there.
            written: Identity of the label map, as far as the call that wrote it came to its end.

        Returns:
            The same as `known` for the predictions that will be there. One of another image, or that
            was altered since, is removed first.
        """
        images = dict(known)
        for output in self.outputs:
            try:
                placed = [(case, self.working.placement(case)) for case in output.cases]
            except DataError as error:
                self._fail(output, str(error))
                continue
            images[output.id] = output.identity
            same = known.get(output.id) == images[output.id] and self.writer.holds(
                output, placed[0][1].original
            )
            path = self.writer.path(output)
            if same and written.get(output.id, digest := file_identity(path)) == digest:
                self.kept.append(output.id)
                self.done += len(placed)
            else:
                self.todo += placed
                self.again.add(output.id)
                self.writer.expect(output)
                with storage_errors(self.folder.root):
                    path.unlink(missing_ok=True)
        self.report_progress()
        return images

    def run(self, part: list[Placed]) -> None:
        """Predict a batch of images of one padded shape and write what comes out."""
        failed: dict[str, str] = {}
        placed, images = read(self.working, part, failed)
        for case, _ in part:
            if case.id in failed:
                self._fail(self.writer.drop(case), failed[case.id], 1)
        if images:
            for (case, placement), scores in zip(placed, self._infer(images, placed), strict=True):
                self.writer.add(case, placement.restore(scores).numpy())
                self.done += 1
        self.report_progress()

    def _fail(self, output: Volume, message: str, slices: int | None = None) -> None:
        self.failed.setdefault(output.id, message)
        self.done += len(output.cases) if slices is None else slices

    def report_progress(self) -> None:
        """Say how many images and slices are done."""
        if self.progress is not None:
            self.progress(self.done, sum(len(output.cases) for output in self.outputs))

    def _infer(self, images: list[Tensor], placed: list[Placed]) -> Tensor:
        """Return the probabilities of a batch: (batch, class, *padded), on the CPU."""
        stacked = torch.stack(images).to(self.device)
        with torch.inference_mode():
            try:
                return self.ensemble.posteriors(stacked).cpu()
            except NetworkError as error:
                names = ", ".join(case.id for case, _ in placed)
                raise NetworkError(f"{error} The images were {names}.") from error


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
