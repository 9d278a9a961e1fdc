"""The settings of the paper's tables run from end to end, on tiny files in the layout of each data set."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from s2s2.arms import ARMS
from s2s2.cli import main
from s2s2.generators import build_generator
from tests.networks.tiny import TINY
from tests.published_sets import draw_all

ROOT = Path(__file__).parents[2]
SETTINGS = sorted((ROOT / "configs").glob("*.yaml"))
SOUND = [path for path in SETTINGS if not path.stem.endswith("-as-published")]
BRIEF = (
    "table1-acdc-transunet",
    "table4-bssfp-lge-slaug-as-published",
    "table5-kvasir-fcbformer-as-published",
)
"""One for each network; `make published` runs the others, too."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    draw_all(folder)
    return folder


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def command(path: Path) -> list[str]:
    """Return the command that the settings name, without `s2s2`."""
    (line,) = re.findall(r"^#\s+(s2s2 run .*)$", path.read_text(), flags=re.MULTILINE)
    return shlex.split(line)[1:]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if path.stem in BRIEF else pytest.mark.slow)
        for path in SETTINGS
    ],
)
def test_the_settings_run_from_end_to_end(
    path: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))
    words = command(path)
    paths = {"--config": ROOT, "--data": place, "--target": place, "--output": tmp_path}
    words = [
        str(paths[before] / word) if before in paths else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    network = TINY[content(path)["network"]["name"]]
    small = {
        "size": 32,
        "seeds": 1,
        "jobs": 1,
        "audited": False,
        "flips": False,
        "stack": {"generator": "appearance", "depth": 2},
        "network": {"pretrained": False, "weights": None, "init_args": network},
        "train": {"steps": 1, "images_per_step": 6, "validations": 1},
    }
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(small))
    assert main([*words, "--config", str(tmp_path / "small.yaml")]) == 0
    run = Path(words[words.index("--output") + 1])
    scores = pd.read_csv(run / "scores.csv", keep_default_na=False)
    assert list(scores["arm"].unique()) == content(path)["arms"]
    assert scores["domain"].nunique() == len(content(path)["dataset"])
    assert (run / "report.html").is_file()


def test_there_is_a_sound_and_a_published_form_of_each() -> None:
    assert [path.stem for path in SETTINGS if path not in SOUND] == [
        f"{path.stem}-as-published" for path in SOUND
    ]
    for path in SOUND:
        sound, published = content(path), content(path.with_stem(f"{path.stem}-as-published"))
        assert sound["seeds"] == 3
        assert published["train"]["as_published"] is True
        for name in ("dataset", "size", "channels", "stack", "network"):
            assert sound[name] == published[name]
        for name in ("steps", "learning_rate", "w_syn", "alpha_enc", "alpha_dec", "optimiser", "schedule"):
            assert sound["train"][name] == published["train"][name]


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_the_weights_are_those_of_the_paper(path: Path) -> None:
    found = content(path)
    network, train = found["network"]["name"], found["train"]
    # Base model, side, alpha_enc, alpha_dec, weight of the synthetic image, optimiser, learning rate.
    rows = {
        "fcbformer": (352, 0.4, 0.0, 1.0, "adamw", 1e-4),
        "transunet": (224, 1.0, 0.0 if path.stem.startswith("table6") else 1.0, 1.0, "sgd", 1e-2),
        "efficientnet-b2-unet": (192, 0.1, 0.0, 0.1, "adam", 3e-4),
    }
    names = ("alpha_enc", "alpha_dec", "w_syn", "optimiser", "learning_rate")
    assert (found["size"], *(train[name] for name in names)) == rows[network]
    assert found["stack"]["depth"] == 16
    assert set(found["arms"]) <= set(ARMS)


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_the_generator_is_the_published_one(path: Path) -> None:
    generator = build_generator(content(path)["stack"]["generator"])
    options = generator.options  # type: ignore[attr-defined]
    assert generator.name == "controlnet"
    assert options.resolution == (192 if "slaug" in path.stem else 512)
    assert options.sampling.preset == "paper"
    assert (options.tune.epochs, options.tune.batch, options.tune.learning_rate) == (100, 16, 1e-5)
    # Each sequence has its own words; the paper's table swaps them.
    if "bssfp" in path.stem:
        assert ("late gadolinium" in options.modality) == path.stem.startswith("table4-lge")
