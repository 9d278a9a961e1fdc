"""Prediction of a folder of images, over a plain loop of the same network on the same images.

The plain loop opens each image, scales it, sends batches through the network as it was
trained, takes the class on the image's own grid and writes a PNG file. `predict` does the
same and checks all of it, writes down what belongs together, and folds batch normalisation.
Images of the demo at 256 px, one core; both sides take turns, and the fastest round counts.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

import s2s2
from benchmarks.rows import row
from s2s2.data import Dataset
from s2s2.evaluation.predict import predict
from s2s2.networks import NetworkCard, NetworkConfig, build_network, default_normalisation, save_network

DEMO = Path(s2s2.__file__).parent / "demo_data" / "hospitals" / "paris"
SIZE, BATCH, IMAGES, ROUNDS = 256, 8, 32, 6


def run() -> list[dict[str, Any]]:
    """Return the ratio of the two times."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            figure = _ratio(Path(folder))
    finally:
        torch.set_num_threads(threads)
    return [row(f"predict at {SIZE} px over a plain loop", figure, "ratio", 1.0, at_most=True)]


def _ratio(folder: Path) -> float:
    dataset = Dataset.open(DEMO)
    dataset = dataset.subset(dataset.ids[:IMAGES])
    torch.manual_seed(0)
    config = NetworkConfig()
    network = build_network(config, channels=3, classes=2).eval()
    card = NetworkCard(
        network=config,
        channels=3,
        size=SIZE,
        patch=None,
        class_map=dataset.class_map,
        normalisation=default_normalisation(3),
        split={"train": (), "validation": ()},
        arm="baseline",
        seed=0,
    )
    save_network(folder / "network", network, card)
    best = [float("inf")] * 2
    for turn in range(ROUNDS):
        images = Dataset.open(DEMO, masks=False, class_map=dataset.class_map).subset(dataset.ids)
        (folder / f"plain{turn}").mkdir()
        started = time.process_time()
        plain_loop(network, dataset, folder / f"plain{turn}")
        half = time.process_time()
        predict(folder / "network", images, folder / f"ours{turn}", batch=BATCH, device="cpu")
        best = [min(best[0], half - started), min(best[1], time.process_time() - half)]
    return best[1] / best[0]


def plain_loop(network: nn.Module, dataset: Dataset, output: Path) -> None:
    """Predict as a script of twenty lines does."""
    mean, std = (
        torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    cases = list(dataset)
    for start in range(0, len(cases), BATCH):
        part, batch, shapes = cases[start : start + BATCH], [], []
        for case in part:
            with Image.open(case.image_path) as file:
                image = file.convert("RGB")
            scale = SIZE / max(image.size)
            small = image.resize([round(side * scale) for side in image.size], Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1) / 255
            canvas = torch.zeros(3, SIZE, SIZE)
            canvas[:, : pixels.shape[1], : pixels.shape[2]] = (pixels - mean) / std
            batch.append(canvas)
            shapes.append((pixels.shape[1:], image.size[::-1]))
        with torch.inference_mode():
            logits = network(torch.stack(batch))
        for case, scores, (inner, outer) in zip(part, logits, shapes, strict=True):
            whole = functional.interpolate(
                scores[None, :, : inner[0], : inner[1]].softmax(1), outer, mode="bilinear"
            )
            labels = whole[0].argmax(0).to(torch.uint8).numpy()
            Image.fromarray(labels).save(output / f"{case.id}.png")


if __name__ == "__main__":
    for line in run():
        print(*line.values())
