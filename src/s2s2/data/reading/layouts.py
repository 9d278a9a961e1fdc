"""Layouts of data sets on disk: folders of images and masks, folders of images, CSV manifests.

A folder has images/ and masks/ (or image/ and masks/, as PraNet has it), or images
alone (for prediction), or lies as a public data set is distributed. Nothing here decodes a
file, and nothing stops at the first problem: `discover` returns the cases together with the problems.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from s2s2.core.progress import Count
from s2s2.data.case import Case
from s2s2.data.catalogue.locate import Selection, read_cases
from s2s2.data.classes import ClassMap
from s2s2.data.files import SUFFIXES
from s2s2.data.nnunet.channels import channels_described
from s2s2.data.nnunet.description import FILE, Description
from s2s2.data.problems import Problem, several
from s2s2.data.reading.groups import assign_groups
from s2s2.data.reading.listing import channels_joined, list_files, slices_joined
from s2s2.data.reading.manifest import read_manifest
from s2s2.data.volumes.arrays import is_slice, named_by_file
from s2s2.data.volumes.config import VolumeConfig
from s2s2.data.volumes.expanding import CutVolumes, expand
from s2s2.data.volumes.formats import VOLUME_SUFFIXES, reader_of, volume_suffix
from s2s2.errors import DataError

_IMAGE_FOLDERS = ("images", "image", "imagesTr")
_MASK_FOLDERS = ("masks", "mask", "labelsTr")


@dataclass(frozen=True)
class Found:
    """The data set found at a path.

    Args:
        root: The folder, or the folder of the manifest.
        cases: The cases in the order of their ids (a manifest keeps its own order).
        problems: What is wrong with the layout.
        declared: The part (train, validation, test) of each case id of a manifest
            with a column split; empty otherwise.
        cut: The volumes that cases are slices of.
        class_map: The classes of a public data set; None otherwise.
        modalities: What each channel of the volumes shows, where dataset.json of nnU-Net says so.
    """

    root: Path
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...] = ()
    declared: tuple[tuple[str, str], ...] = ()
    cut: CutVolumes = field(default_factory=CutVolumes)
    class_map: ClassMap | None = None
    modalities: tuple[str, ...] = ()

    def require_usable(self, path: str | Path, *, masks: bool) -> None:
        """Refuse a data set with errors.

        Args:
            path: As the user gave it.
            masks: Whether every volume is needed; for prediction those that can be read are enough.

        Raises:
            DataError: If there is one; the first few are named.
        """
        errors = [problem for problem in self.problems if problem.level == "error"]
        if masks or not self.cases:
            errors += [Problem("error", "volume", *each) for each in self.cut.skipped.items()]
        if errors:
            raise DataError(f"{path} cannot be used. {several(errors)}")

    def classes(self) -> ClassMap | None:
        """Return the class map that the data set declares, else the one of its masks; None without masks.

        Raises:
            DataError: If it cannot be read or inferred.
        """
        paths = [case.mask_path for case in self.cases if case.mask_path is not None]
        declared = self.class_map or ClassMap.declared(self.root)
        return declared or (ClassMap.infer(paths) if paths else None)


def discover(
    path: str | Path,
    *,
    groups: str | Path | None = None,
    domain: str | None = None,
    masks_required: bool = True,
    volumes: VolumeConfig | None = None,
    progress: Count | None = None,
    dataset: str | None = None,
) -> Found:
    """Find the cases of a data set; volumes are cut into slices, each of which is a case.

    Args:
        path: A folder with images/ and masks/ (same stem, sub-folders allowed), with
            image/ and masks/, with images alone, or a CSV manifest with the columns
            image, mask, case, group, domain, split, spacing_mm (image alone is needed).
        groups: A CSV file (case,group), or a regular expression with one group in
            parentheses that is searched for in the case id. Default: groups.csv of
            the folder or the column group; else every case is its own group.
        domain: Name of the site; default: the column domain, or the folder's name.
        masks_required: Whether an image without a mask is an error. If not, masks
            are ignored.
        volumes: How volumes are cut.
        progress: Called with the number of volumes that are cut and of all.
        dataset: Name of a public data set, where the folder lies as that is distributed;
            `polypgen/C1` takes one domain.

    Raises:
        DataError: If there is no data set at all at this path.
        ConfigError: If there is no public data set or domain of this name.
    """
    path = Path(path)
    if dataset is not None:
        found = _from_public(dataset, path, domain, masks_required)
    elif not path.exists():
        raise DataError(f"There is no data set at {path}. Check the path.")
    else:
        found = _found(path, domain, masks_required)
    cases, problems = assign_groups(
        tuple(map(named_by_file, found.cases)), groups, found.root, is_manifest=path.is_file()
    )
    if not masks_required:
        cases = tuple(replace(case, mask_path=None) for case in cases)
    volumes = volumes or VolumeConfig()
    if found.modalities and not volumes.modalities:
        volumes = replace(volumes, modalities=found.modalities)
    cases, faults, cut = expand(cases, volumes, progress)
    declared = dict(found.declared)
    parts = ((case.id, declared.get(case.volume or case.id, declared.get(case.id))) for case in cases)
    return Found(
        root=found.root,
        cases=cases,
        problems=found.problems + problems + faults,
        declared=tuple((case_id, part) for case_id, part in parts if part),
        cut=cut,
        class_map=found.class_map,
        modalities=found.modalities,
    )


def _found(path: Path, domain: str | None, masks_required: bool) -> Found:
    if path.is_file() and volume_suffix(path.name) and not masks_required:
        name = path.name.removesuffix(volume_suffix(path.name))
        case = Case(name, path, None, name, domain or path.resolve().parent.name)
        return Found(path.parent, (case,))
    if path.is_file():
        return _from_manifest(path, domain, masks_required)
    return _from_folder(path, domain, masks_required)


def _from_public(dataset: str, path: Path, domain: str | None, masks_required: bool) -> Found:
    chosen = Selection.parse(dataset)
    cases, problems = read_cases(chosen, path, domain=domain, masks_required=masks_required)
    return Found(path, cases, problems, class_map=chosen.info.class_map)


def _from_manifest(path: Path, domain: str | None, masks_required: bool) -> Found:
    if path.suffix.lower() not in (".csv", ".tsv"):
        raise DataError(f"{path} is a file, expected a folder with images/ and masks/, or a CSV manifest.")
    cases, problems, declared = read_manifest(path, domain=domain)
    if masks_required:
        problems += tuple(_without_mask(case.id, path) for case in cases if case.mask_path is None)
    return Found(path.parent, cases, problems, declared)


def _from_folder(root: Path, domain: str | None, masks_required: bool) -> Found:
    image_folder = _sub_folder(root, _IMAGE_FOLDERS)
    mask_folder = _sub_folder(root, _MASK_FOLDERS)
    images, problems = list_files(image_folder or root)
    within = masks_required and mask_folder is None and _hold_masks(images)
    if masks_required and (image_folder is None or mask_folder is None) and not within:
        raise DataError(_no_masks(root, image_folder))
    if not images:
        raise DataError(_no_images(root, image_folder or root))
    masks: dict[str, list[Path]] = dict(images) if within else {}
    if masks_required and mask_folder is not None:
        files, mask_problems = list_files(mask_folder)
        masks = slices_joined(files, images)
        problems += mask_problems
    described = Description.of(root)
    joined, incomplete = channels_joined(images, masks), frozenset[str]()
    if described is not None:
        joined, incomplete, faults = channels_described(images, described)
        problems += faults
    if masks_required:
        problems += _unpaired(joined, {key: paths for key, paths in masks.items() if key not in incomplete})
    name = domain if domain is not None else root.resolve().name
    cases = [
        Case(
            key,
            paths[0],
            masks[key][0] if key in masks else None,
            key,
            name,
            parts=tuple(paths) if key not in images and len(paths) > 1 else (),
        )
        for key, paths in sorted(joined.items())
    ]
    return Found(root, tuple(cases), problems, modalities=described.channels if described else ())


def _hold_masks(images: dict[str, list[Path]]) -> bool:
    """Whether all files are arrays, which hold an image and its mask.

    Raises:
        DataError: If slices and whole volumes are mixed: the volumes are often the slices once more.
    """
    paths = [path for some in images.values() for path in some]
    if not paths or not all((reader := reader_of(path)) is not None and reader.has_mask for path in paths):
        return False
    slices = [path for path in paths if is_slice(path)]
    if 0 < len(slices) < len(paths):
        other = next(path for path in paths if not is_slice(path))
        raise DataError(
            f"{slices[0]} is a slice and {other} a whole volume. Expected one kind, since both may be of one "
            "patient: give the folder of slices, or that of volumes."
        )
    return True


def files_read(path: Path) -> tuple[Path, ...]:
    """Return the files and folders that are read of the data set at a path, there or not.

    Of a folder with images/ these are its folders of images and masks and the files beside them that
    say how to read it; of a folder of images alone it is the folder. Links in them are followed.
    """
    if path.is_file():
        try:
            cases = _from_manifest(path, None, masks_required=False).cases
        except DataError:
            cases = ()
        files = {case.image_path for case in cases} | {case.mask_path for case in cases if case.mask_path}
        return (path, *sorted(files))
    if _sub_folder(path, _IMAGE_FOLDERS) is None:
        return (path, *_linked(path))
    folders = [path / name for name in (*_IMAGE_FOLDERS, *_MASK_FOLDERS)]
    beside = [path / name for name in ("groups.csv", "classes.json", FILE)]
    return (*folders, *beside, *(target for folder in folders for target in _linked(folder)))


def _linked(folder: Path) -> list[Path]:
    """Return what links below a folder lead to."""
    found = []
    for parent, folders, names in os.walk(folder):
        paths = (Path(parent, name) for name in (*folders, *names))
        found += [Path(os.path.realpath(path)) for path in paths if path.is_symlink()]
    return found


def _sub_folder(root: Path, names: Iterable[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _unpaired(images: dict[str, list[Path]], masks: dict[str, list[Path]]) -> tuple[Problem, ...]:
    lone = [_without_mask(key, images[key][0]) for key in sorted(images.keys() - masks.keys())]
    orphans = [
        Problem("warning", "mask-without-image", str(masks[key][0]), "no image has this stem; it is ignored.")
        for key in sorted(masks.keys() - images.keys())
    ]
    return tuple(lone + orphans)


def _without_mask(case: str, where: Path) -> Problem:
    message = f"{where.name} gives this case no mask. Add the mask (same stem), or take the image out."
    return Problem("error", "image-without-mask", case, message)


def _no_masks(root: Path, image_folder: Path | None) -> str:
    if image_folder is not None:
        got = f"{image_folder.name}/ but no masks/"
    else:
        sites = sorted(
            entry.name for entry in root.iterdir() if entry.is_dir() and _sub_folder(entry, _IMAGE_FOLDERS)
        )
        if sites:
            few = ", ".join(sites[:6])
            return f"{root} is no data set itself but holds {len(sites)}: {few}. Give one of them."
        images, _ = list_files(root)
        got = f"{len(images)} image{'s' * (len(images) != 1)} and no masks/"
    return (
        f"{root} has {got}. Expected a folder images/ and a folder masks/ whose files have the same stem: "
        "add the masks; only predicting works without them."
    )


def _no_images(root: Path, folder: Path) -> str:
    _, problems = list_files(folder)
    other = "".join(f" {problem.message}" for problem in problems)
    known = ", ".join((*SUFFIXES, *VOLUME_SUFFIXES))
    return f"{folder} holds no images, expected {known} files.{other} Check the path."
