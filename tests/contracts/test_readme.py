"""Every command and every Python block of the README and the docs works.

Commands run on drawn images in the folders that the pages suppose, with small settings that the
options on the page override. Nothing is left out but what `ELSEWHERE` names.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from s2s2.cli import COMMANDS, main
from s2s2.networks import BUILT_IN, BuiltIn
from tests.drawn_volumes import draw_volumes
from tests.nnunet_sets import draw_nnunet
from tests.public_sets import draw_nuclei, draw_polyps
from tests.published_sets import draw_published

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ELSEWHERE = {
    "s2s2 demo": "`make demo`, and tests/story on other images",
    "s2s2 demo --hospitals": "by people",
    "make demo": "by people",
    "make test": "this is it",
    "make install": "part of `make test`",
    "make format": "by people",
    "make faults": "by people",
    "make published": "by people",
    "make bench": "by people",
}
"""Commands that are not run here, and where they are."""

NETWORK = {"name": "tiny"}
AUDIT = {"folds": 2, "steps": 2, "images_per_step": 2, "size": 32, "draws": 20, "jobs": 1, "network": NETWORK}
TRAIN = {"steps": 2, "images_per_step": 2, "validations": 1}
SMALL: dict[str, dict[str, Any]] = {
    "run": {
        "size": 32,
        "arms": ["baseline", "s2s2"],
        "seeds": 1,
        "jobs": 1,
        "split": {"fractions": [0.625, 0.125, 0.25]},
        "stack": {"depth": 2},
        "audit": AUDIT,
        "network": NETWORK,
        "train": TRAIN,
    },
    "tune": {"size": 32, "audit": AUDIT},
    "stack": {"size": 32, "depth": 2},
    "audit": {"audit": AUDIT},
    "train": {"size": 32, "network": NETWORK, "train": TRAIN},
}
DIFFUSION = (
    "diffusion(preset='cpu',resolution=16,channels=(16,),steps=2,batch=2,checks=1,judged=2,solver_steps=2)"
)
PLACEHOLDERS = {"HOME": "sites/home", "AWAY": "sites/away", "RUN": "runs/new", "G": DIFFUSION}


class Tiny(nn.Module):
    """A built-in network of the tests: pages speak of networks that need no `--trust`."""

    encoder_taps, decoder_taps = ("inner",), ("outer",)

    def __init__(self, channels: int, classes: int, pretrained: bool = True) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, 4, 3, padding=1)
        self.outer = nn.Conv2d(4, classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.outer(self.inner(image).relu())
        return logits


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        entry = BuiltIn("tiny", "", f"{__name__}.Tiny", weights="", licence="", reference="", inside=True)
        patch.setitem(BUILT_IN, "tiny", entry)
        yield


def commands(page: Path) -> list[str]:
    """Return the command lines of a page: of blocks, and between back quotes."""
    text = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    shell = "\n".join(block for language, block in blocks if language in ("", "bash"))
    lines = [line.split(" #")[0].strip() for line in shell.splitlines()]
    lines = [line for line in lines if line.startswith(("s2s2 ", "make ", "pip ", "python "))]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return lines + [line for line in re.findall(r"`(s2s2 \w+ [^`]+)`", prose) if line.split()[1] in COMMANDS]


def words_of(line: str) -> list[str]:
    """Return the words of a command line with small settings before its own options."""
    command, *words = shlex.split(line)[1:]
    words = [PLACEHOLDERS.get(word, word) for word in words]
    # The whole name of the generator, where its options are not given.
    words = [
        re.sub(r"(?<![\w-])(diffusion)(?![\w(/])|(?<=:2,)G(?=:)", lambda _: DIFFUSION, word) for word in words
    ]
    if command == "run" and "--data" not in words:
        words = ["--data", "sites/home", "--output", "runs/new", *words, "--dry-run"]
    if command == "run" and (line.count(" --") > 4 or "configs/" in line):
        words = [*words, "--size", "32", "--dry-run"]
    if "configs/" in line:  # a base model and weights that are not here
        words += ["--stack.generator", "appearance", "--network.pretrained", "false"]
        words += ["--network.weights", "null"]
    if command in SMALL and "--help" not in words:
        small = Path(f"small-{command}.yaml")
        small.write_text(json.dumps(SMALL[command]))  # JSON is YAML without aliases
        words = ["--config", str(small), *words]
    return [command, *words]


def execute(line: str) -> None:
    assert main(words_of(line)) == 0, line


@pytest.fixture(scope="module")
def made(sites: Path, tiny: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages suppose, made by the commands of the pages themselves."""
    place = tmp_path_factory.mktemp("pages")
    shutil.copytree(sites, place / "sites")
    shutil.copytree(sites / "away" / "images", place / "new_images")
    shutil.copytree(ROOT / "configs", place / "configs")
    draw_published(place)
    draw_polyps(place)
    draw_nuclei(place / "bowl")
    draw_volumes(place / "scans" / "home", 8)
    draw_volumes(place / "scans" / "away", 2, seed=50, invert=True)
    draw_heart(place)
    (place / "made").mkdir()
    for image in (place / "sites" / "home" / "images").iterdir():
        for copy in range(2):
            shutil.copy(image, place / "made" / f"{image.stem}_{copy}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for line in (*commands(ROOT / "README.md"), *commands(ROOT / "docs" / "quickstart.md")):
            if line.startswith(("s2s2 run --data", "s2s2 split", "s2s2 stack")) and "--dry-run" not in line:
                execute(line)
    return place


def draw_heart(place: Path) -> None:
    """A data set of nnU-Net with two folds and images for prediction."""
    names = [f"heart_{n}" for n in range(8)]
    root = draw_nnunet(place / "nnUNet_raw" / "Dataset001_Heart", names)
    new = draw_nnunet(place / "new_volumes", ["new_0"])
    shutil.copytree(new / "imagesTr", root / "imagesTs")
    (place / "nnunet_masks").mkdir()
    for name in names[6:]:  # what nnU-Net predicts of the first fold's cases
        shutil.copy(root / "labelsTr" / f"{name}.nii.gz", place / "nnunet_masks")
    folds = [{"train": names[:6], "val": names[6:]}, {"train": names[2:], "val": names[:2]}]
    (place / "splits_final.json").write_text(json.dumps(folds))


@pytest.fixture
def workplace(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "place")
    monkeypatch.setenv("S2S2_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_of_a_page(page: Path, workplace: Path) -> None:
    for line in commands(page):
        if line not in ELSEWHERE:
            execute(line)


def test_the_pages_have_commands_and_none_is_left_out() -> None:
    found = [line for page in PAGES for line in commands(page)]
    assert len(found) > 25
    assert set(ELSEWHERE) <= set(found)
    assert {line.split()[1] for line in found if line.startswith("s2s2")} >= set(COMMANDS) - {"doctor"}


def python(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


# tests/objective/test_own_loop.py runs docs/own-loop.md.
WITH_PYTHON = [page for page in PAGES if python(page) and page.name != "own-loop.md"]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_of_a_page(page: Path, workplace: Path) -> None:
    space = {"__name__": "page"}
    for block in python(page):
        exec(compile(block, page.name, "exec"), space)
