"""Export of a stack as training cases of nnU-Net, in a fold that validates on real cases alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from s2s2.core.inputs import Inputs
from s2s2.core.names import file_name
from s2s2.core.progress import Count
from s2s2.core.records import Record, file_identity
from s2s2.core.storage import LOCK, claimed, refuse_links, remove_leftovers
from s2s2.core.tables import write_rows
from s2s2.data.dataset import Dataset
from s2s2.data.identity import identities
from s2s2.data.nnunet.folder import RawFolder
from s2s2.data.reading.manifest import PARTS
from s2s2.data.split import Split
from s2s2.data.volumes.volume import Volume
from s2s2.errors import ConfigError, StackError
from s2s2.stack.nnunet_cases import CaseWriter, PictureWriter, VolumeWriter
from s2s2.stack.store import BUILT, Stack, manifest_path

RECORD = "s2s2.json"
_ABOUT = (
    "Real cases, and as NAME_copyN synthetic images of the training cases, made by s2s2. Train fold 0 of "
    "splits_final.json: it validates on real cases that no copy was made of."
)


class Exported(NamedTuple):
    """What lies in the folder.

    Args:
        number: By which nnU-Net knows the data set.
        train: Real training cases.
        copies: Copies of them.
        validation: Real cases that the fold validates on.
        test: Real cases in imagesTs.
        real_slices: Slices in copies of volumes that are real ones, as the stack has no copy of them.
        slices: Slices in all copies of volumes; 0 of flat images.
    """

    number: int
    train: int
    copies: int
    validation: int
    test: int
    real_slices: int
    slices: int


class _Order(NamedTuple):
    """A case to write: a real one, or a copy where it has a number."""

    volume: Volume
    part: str
    name: str
    real: str
    number: int | None = None


def export_nnunet(
    stack: Stack,
    dataset: Dataset,
    split: Split,
    output: str | Path,
    *,
    copies: int | None = None,
    progress: Count | None = None,
) -> Exported:
    """Write real cases and the copies of a stack as a raw data set of nnU-Net.

    imagesTr has the training cases, their copies and the validation cases, imagesTs the test cases.
    splits_final.json has one fold: a copy is never validated on, and neither is any case that the
    generator has seen. groups.csv keeps copies with their case when s2s2 reads the folder. Copies that an
    audit marked are left out. A copy is resampled to the grid of its case and has its units: HU of CT
    within the window. Volumes are copied whole, see `VolumeWriter`.

    What an interrupted export has written stays, and the same call goes on.

    Args:
        stack: Of the training cases.
        dataset: All cases, on the working grid of the stack.
        split: Training, validation and test cases.
        output: The new folder, named as nnU-Net wants it: Dataset002_Name.
        copies: Of each case; None for all that the stack has.
        progress: Called with the number of cases done and of all cases.

    Raises:
        ConfigError: If nnU-Net does not find a folder of this name, or the stack has fewer copies.
        StackError: If the stack does not belong to these cases, or the folder holds something else.
        DataError: If a file cannot be read, or a class has a name that nnU-Net keeps for itself.
        StorageError: If a file cannot be written.
    """
    folder = RawFolder(Path(output), _kind(dataset).ending)
    depth = _copies(stack, copies)
    _require_plain(dataset, stack)
    stack.check_against(dataset, split)
    refuse_links(folder.root)
    with claimed(folder.root):
        record = _record(folder.root, stack, dataset, split, depth)
        writer = _kind(dataset)(folder, dataset.resized(None), stack, frozenset(split.train))
        orders = _orders(writer, dataset, split, depth)
        for done, order in enumerate(orders, start=1):
            if order.number is None:
                writer.write(order.volume, order.name, test=order.part == "test")
            else:
                writer.write_copy(order.volume, order.name, order.number, order.real)
            if progress is not None:
                progress(done, len(orders))
        training, validation = (
            [order.name for order in orders if order.part == part] for part in ("train", "validation")
        )
        rows = [{"case": order.name, "group": order.volume.group} for order in orders if order.part != "test"]
        write_rows(rows, folder.root / "groups.csv", ("case", "group"))
        folder.describe(writer.channels, dataset.class_map.names, len(training) + len(validation), _ABOUT)
        folder.divide(training, validation)
        record.finish()
    return _exported(folder.number, writer, orders)


def _kind(dataset: Dataset) -> type[CaseWriter]:
    """Return what writes the cases.

    Raises:
        StackError: If there are flat images beside volumes.
    """
    kinds = {volume.grid is None for volume in dataset.volumes}
    if len(kinds) > 1:
        raise StackError(
            f"{dataset.root} has flat images and volumes, and a data set of nnU-Net has one kind of files. "
            "Make a stack of each."
        )
    return PictureWriter if True in kinds else VolumeWriter


def _copies(stack: Stack, copies: int | None) -> int:
    if copies is not None and not 1 <= copies <= stack.depth:
        raise ConfigError(
            f"--copies is {copies}, expected 1 to {stack.depth}: so many has {stack.path} of each mask."
        )
    return copies or stack.depth


def _require_plain(dataset: Dataset, stack: Stack) -> None:
    """Refuse copies that have other channels than the files of their volumes."""
    if dataset.cut.config.neighbours:
        raise StackError(
            f"The copies of {stack.path} have the neighbours of a slice as channels, which no volume of "
            "nnU-Net has. Make a stack with --volumes.neighbours 0."
        )
    for volume in dataset.volumes:
        if volume.grid is not None and len(volume.sources) != stack.channels:
            raise StackError(
                f"The copies of {stack.path} have {stack.channels} channels and the volume {volume.id} has "
                f"{len(volume.sources)}. Make a stack without --channels."
            )


def _record(root: Path, stack: Stack, dataset: Dataset, split: Split, depth: int) -> Record:
    """Return the record of this export, which has begun.

    Raises:
        StackError: If the folder holds another export, or anything else.
    """
    cases = dataset.subset([case_id for part in PARTS for case_id in getattr(split, part)])
    made = [path for path in (manifest_path(stack.path), stack.path / BUILT) if path.exists()]
    inputs: dict[str, Any] = {
        "stack": [file_identity(path) for path in made],
        "marks": Inputs({"marks": stack.marks}).digest,
        "split": Inputs(split.to_dict()).digest,
        "cases": Inputs(identities(cases)).digest,
        "classes": dataset.class_map.to_dict(),
        "volumes": dataset.cut.config.to_dict(),
        "copies": depth,
    }
    record = Record(root / RECORD, inputs, error=StackError)
    if not record.path.exists() and (there := sorted(set(os.listdir(root)) - {LOCK})):
        raise StackError(
            f"{root} is not empty: it holds {there[0]}. Nothing was changed. Give a new folder for --output."
        )
    record.require("Give a new folder for --output, or remove this one.")
    remove_leftovers(root)
    record.begin()
    return record


def _orders(writer: CaseWriter, dataset: Dataset, split: Split, depth: int) -> list[_Order]:
    """List the cases to write, each case before its copies."""
    orders: list[_Order] = []
    for part in PARTS:
        for volume in _volumes(dataset, getattr(split, part)):
            name = file_name(volume.id)
            orders.append(_Order(volume, part, name, name))
            if part == "train":
                numbers = [n for n in range(depth) if any(writer.has_copy(case, n) for case in volume.cases)]
                orders += [_Order(volume, part, f"{name}_copy{n}", name, n) for n in numbers]
    real = {order.name for order in orders if order.number is None}
    if same := sorted(real & {order.name for order in orders if order.number is not None}):
        raise StackError(f"A case is named {same[0]}, as a copy of another would be. Rename its files.")
    return orders


def _volumes(dataset: Dataset, ids: Iterable[str]) -> list[Volume]:
    """Return the volumes that cases are slices of, and cases that are flat images as their own."""
    part = dataset.subset(ids)
    known = set(part.ids)
    outputs = (output for volume in part.volumes for output in volume.outputs)
    return [output for output in outputs if output.grid is not None or output.id in known]


def _exported(number: int, writer: CaseWriter, orders: list[_Order]) -> Exported:
    """Count what was written."""
    copies = [order for order in orders if order.number is not None]
    slices = [
        writer.has_copy(case, order.number)
        for order in copies
        if order.volume.grid is not None and order.number is not None
        for case in order.volume.cases
    ]
    parts = [sum(order.part == part and order.number is None for order in orders) for part in PARTS]
    return Exported(number, parts[0], len(copies), parts[1], parts[2], slices.count(False), len(slices))
