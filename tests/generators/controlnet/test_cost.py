"""What it costs is known before it starts, and a machine without a GPU is told what to do instead."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from s2s2.errors import GeneratorError
from s2s2.generators import ControlNet, ControlNetConfig
from s2s2.generators.controlnet import learning as costs
from s2s2.generators.controlnet.base import own_device
from s2s2.generators.controlnet.layout import find_base
from s2s2.generators.options import from_json
from tests.generators.controlnet.conftest import Cases, quick


def configured(**options: object) -> ControlNetConfig:
    return from_json(ControlNetConfig, "controlnet", options)


# Stable Diffusion 2.1; weights of this size are not there, and must not be asked for.
UNET = {
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "norm_num_groups": 32,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "down_block_types": [*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"],
    "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3],
}


@pytest.fixture(scope="module")
def large(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(folders["2.1"], tmp_path_factory.mktemp("large") / "sd"))
    for part, values in {"unet": UNET, "vae": {"block_out_channels": [128, 256, 512, 512]}}.items():
        path = folder / part / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return folder


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cores, no GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(costs, "machine_speed", lambda: 1e10)


def test_the_estimate_meets_what_others_have_measured(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An A100 that multiplies matrices at 250 TFLOP/s: 0.93 s an image, 27 samples a second."""
    layout = find_base(str(large))
    monkeypatch.setattr(costs, "machine_speed", lambda: 250e12)
    paper = costs.cost(layout, configured(preset="paper"), 1000)
    assert 0.7 < paper.image_s < 1.4
    assert 15 < 100 * 1000 / paper.tuning_s < 50
    assert costs.cost(layout, ControlNetConfig(), 1000).image_s == pytest.approx(paper.image_s / 4)


@pytest.mark.usefixtures("slow")
def test_without_a_gpu_a_large_model_is_refused_with_an_estimate(
    large: Path, cases: Cases, tmp_path: Path
) -> None:
    generator = ControlNet(ControlNetConfig(base=str(large)))
    generator.place(tmp_path)
    with pytest.raises(
        GeneratorError,
        match=r"needs a GPU .* it would take \d+ days here \(tuning .*, 128 images .*use 'diffusion'",
    ):
        generator.tune(*cases)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("slow")
def test_who_insists_or_has_a_small_model_may_go_on(
    large: Path, folders: dict[str, Path], cases: Cases
) -> None:
    assert ControlNet(configured(base=str(large), cpu=True)).cost(*cases).tuning_s > 86400
    assert ControlNet(quick(folders["1.5"])).cost(*cases).tuning_s < 36000


def test_this_machine_has_a_speed() -> None:
    assert 1e8 < costs.machine_speed() < 1e17


def test_a_finished_tuning_is_refused_where_sampling_alone_takes_days(large: Path, slow: None) -> None:
    layout = find_base(str(large))
    config = configured(base=str(large), epochs=1)
    with pytest.raises(GeneratorError, match="needs a GPU"):
        costs.check_machine(layout, config, 500, tuned=True)
    small = ControlNetConfig(base=str(large), resolution=128)
    assert 60 < costs.check_machine(layout, small, 1, tuned=True).image_s < 3600


def test_each_process_of_a_node_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert own_device().type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    for name in ("LOCAL_RANK", "SLURM_LOCALID"):
        monkeypatch.delenv(name, raising=False)
    assert own_device() == torch.device("cuda", 0)
    monkeypatch.setenv("SLURM_LOCALID", "3")
    assert own_device() == torch.device("cuda", 3)
    monkeypatch.setenv("LOCAL_RANK", "6")
    assert own_device() == torch.device("cuda", 2)
