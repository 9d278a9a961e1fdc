"""Volumes: memory of a large CT, training from volumes over training from PNG, prediction over MONAI.

Memory is the peak of the process that checks, predicts or scores a CT of 512 x 512 x 800 voxels, the
imports of torch included. A pair is read from slices of NIfTI volumes and from PNG files of the same
slices, with the grid, light and artefacts of a training. Prediction is `predict` of a volume and MONAI's
`SliceInferer` with the same network, both from file to file. One core, both sides in turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from PIL import Image

from benchmarks.rows import row
from benchmarks.training_step import step_of_pairs
from s2s2.data import ClassMap, Dataset
from s2s2.data.transforms.config import AcquisitionConfig, PhotometricConfig
from s2s2.data.volumes.config import VolumeConfig
from s2s2.evaluation.predict import predict
from s2s2.networks import (
    NetworkCard,
    NetworkConfig,
    build_network,
    default_normalisation,
    load_network,
    save_network,
)
from s2s2.stack import PairedDataset

LARGE = (512, 512, 800)
SMALL = (192, 192, 64)
SIZE, PAIRS, ROUNDS = 128, 8, 5
_STEPS = ("check", "predict", "evaluate")


def run() -> list[dict[str, Any]]:
    """Return peak memory in GiB, and the two ratios of time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["S2S2_CACHE"] = folder
            rows = [
                row(f"memory of `s2s2 {step}`, CT of 512 x 512 x 800", peak, "GiB", 4.0, at_most=True)
                for step, peak in _memory(Path(folder)).items()
            ]
            ours, theirs, step = _pairs(Path(folder))
            rows.append(row("a pair from volumes over PNG, from disk", ours / theirs, "ratio", None))
            figure = (PAIRS * ours + step) / (PAIRS * theirs + step)
            rows.append(row("a training step from volumes over PNG", figure, "ratio", 1.1, at_most=True))
            figure = _prediction(Path(folder))
            rows.append(row("predict a volume over MONAI's SliceInferer", figure, "ratio", 1.0, at_most=True))
    finally:
        torch.set_num_threads(threads)
    return rows


def draw(root: Path, shape: tuple[int, int, int], patients: int) -> Path:
    """Write volumes of soft tissue with an organ, in HU, and their masks."""
    for sub in ("images", "masks"):
        (root / sub).mkdir(parents=True, exist_ok=True)
    affine = np.diag([-0.8, -0.8, 2.5, 1.0])
    x, y = np.mgrid[: shape[0], : shape[1]] / shape[0]
    for patient in range(patients):
        rng = np.random.default_rng(patient)
        noise = rng.normal(0, 20, (*shape[:2], 4)).astype(np.int16)
        voxels, labels = np.empty(shape, np.int16), np.zeros(shape, np.uint8)
        for number in range(shape[2]):
            height = abs(number / shape[2] - 0.5)
            body, organ = np.hypot(x - 0.5, y - 0.5) < 0.4, np.hypot(x - 0.4, y - 0.5) < 0.25 - height / 2
            voxels[..., number] = np.where(body, 40, -1000) + noise[..., number % 4]
            voxels[..., number][organ] += 60
            labels[..., number] = organ
        for sub, values in (("images", voxels), ("masks", labels)):
            nibabel.save(nibabel.Nifti1Image(values, affine), root / sub / f"patient{patient}.nii.gz")
    return root


def network(folder: Path, *, channels: int = 1) -> Path:
    """Save an untrained network of the default kind, and return its folder."""
    torch.manual_seed(0)
    config = NetworkConfig()
    card = NetworkCard(
        network=config,
        channels=channels,
        size=SIZE,
        patch=None,
        class_map=ClassMap(("background", "organ"), ((0,), (1,))),
        normalisation=default_normalisation(channels),
        split={"train": (), "validation": ()},
        arm="baseline",
        seed=0,
        volumes=VolumeConfig(),
    )
    save_network(folder, build_network(config, channels=channels, classes=2), card)
    return folder


def _memory(folder: Path) -> dict[str, float]:
    """Return the peak of each command in GiB, as the process itself counts it."""
    data, net = draw(folder / "large", LARGE, 1), network(folder / "large-network")
    # The labels themselves are scored: an untrained network finds noise, which no patient has.
    words = {
        "check": ["check", data, "--json"],
        "predict": ["predict", net, data / "images", "--output", folder / "large-out"],
        "evaluate": ["evaluate", folder / "large-out", data, "--output", folder / "large.csv"],
    }
    found = {}
    for step in _STEPS:
        if step == "evaluate":
            label = folder / "large-out" / "patient0.nii.gz"
            image = nibabel.load(data / "masks" / "patient0.nii.gz")
            shifted = np.roll(np.asarray(image.dataobj), 3, axis=0)
            nibabel.save(nibabel.Nifti1Image(shifted, image.affine), label)
        found[step] = _peak([*map(str, words[step])])
    return found


def _peak(words: list[str]) -> float:
    code = (
        "import json, resource, sys; from s2s2.cli import main; code = main(sys.argv[1:]);"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "sys.stderr.write('\\n' + json.dumps([code, peak]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    exit_code, kib = json.loads(done.stderr.splitlines()[-1])
    if exit_code:
        raise RuntimeError(f"s2s2 {words[0]} failed: {done.stderr[-2000:]}")
    return float(kib) / 2**20


def _pairs(folder: Path) -> tuple[float, float, float]:
    """Return the seconds of a pair from volumes, of one from 8-bit PNG files, and of a step of 8 pairs.

    Nothing that was read is kept in memory, as in the first epoch of a training.
    """
    data = draw(folder / "small", SMALL, 4)
    slices = Dataset.open(data, size=SIZE, cache_mb=0)
    flat = folder / "flat"
    for sub in ("images", "masks"):
        (flat / sub).mkdir(parents=True)
    for case in slices:
        for sub, path in (("images", case.image_path), ("masks", case.mask_path)):
            with Image.open(str(path)) as image:
                pixels = np.asarray(image)
            narrow = (pixels >> 8).astype(np.uint8) if sub == "images" else pixels
            Image.fromarray(narrow).save(flat / sub / f"{case.id}.png")
    sets = (slices, Dataset.open(flat, size=SIZE, cache_mb=0))
    sides = [
        PairedDataset(
            each, view="real", side=SIZE, photometric=PhotometricConfig(), acquisition=AcquisitionConfig()
        )
        for each in sets
    ]
    best = [float("inf")] * 2
    for turn in range(ROUNDS):
        for number in (0, 1)[:: 1 if turn % 2 else -1]:
            started = time.process_time()
            for index in range(0, len(sides[number]), 3):
                sides[number][index, turn]
            best[number] = min(best[number], time.process_time() - started)
    step, steps = step_of_pairs(PAIRS, SIZE), []
    for _ in range(ROUNDS):
        started = time.process_time()
        step()
        steps.append(time.process_time() - started)
    count = len(range(0, len(slices), 3))
    return best[0] / count, best[1] / count, min(steps)


def _prediction(folder: Path) -> float:
    """Return the time of `predict` over that of MONAI's reader, sliding slices and writer."""
    data, net = folder / "small", network(folder / "small-network")
    model, _ = load_network(net)
    path = data / "images" / "patient0.nii.gz"
    best = [float("inf")] * 2
    for turn in range(ROUNDS):
        os.environ["S2S2_CACHE"] = str(folder / f"cache{turn}")  # both sides begin at the file
        started = time.process_time()
        monai_slices(model, path, folder / f"monai{turn}.nii.gz")
        half = time.process_time()
        dataset = Dataset.open(path, masks=False)
        predict(net, dataset, folder / f"ours{turn}", device="cpu", flips=False)
        best = [min(best[0], half - started), min(best[1], time.process_time() - half)]
    return best[1] / best[0]


def monai_slices(model: torch.nn.Module, path: Path, output: Path) -> None:
    """Predict a volume with MONAI: load, window, scale slices to the working grid, slide, and write."""
    from monai.inferers.inferer import SliceInferer
    from monai.transforms.compose import Compose
    from monai.transforms.intensity.array import ScaleIntensityRange
    from monai.transforms.io.array import LoadImage
    from monai.transforms.spatial.array import Resize

    read = Compose(
        [
            LoadImage(image_only=True, ensure_channel_first=True),
            ScaleIntensityRange(-125, 275, 0, 1, clip=True),
            Resize((SIZE, SIZE, SMALL[2])),
        ]
    )
    volume = read(str(path))
    inferer = SliceInferer(roi_size=(SIZE, SIZE), spatial_dim=2, sw_batch_size=8, progress=False)
    with torch.inference_mode():
        scores = inferer(volume[None].as_tensor(), model).softmax(1)
        back = torch.nn.functional.interpolate(scores, SMALL, mode="trilinear", align_corners=False)
    labels = back.argmax(1)[0].numpy().astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(labels, nibabel.load(path).affine), output)
