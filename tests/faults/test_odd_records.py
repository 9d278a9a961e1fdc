"""Cards, manifests and records with a value of another type: named, or of no matter, never a traceback."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from s2s2.cli import main
from s2s2.pipeline import RunConfig
from tests.faults.table import Note, Outcome

pytestmark = pytest.mark.slow
NETWORK = "run/arms/s2s2/seed0/network"
PREDICTED = "run/arms/s2s2/seed0/predictions/away"
TRAIN = ["--size", "32", "--train.steps", "1", "--train.images_per_step", "2", "--train.validations", "1"]
COMMANDS = {
    "report": ["report", "run"],
    "predict": ["predict", NETWORK, "sites/away", "--output", "made"],
    "evaluate": ["evaluate", PREDICTED, "sites/away", "--output", "made.csv"],
    "audit": [
        "audit",
        "run/stack",
        "--data",
        "sites/home",
        "--split",
        "run/split.json",
        *("--audit.draws", "20"),
    ],
    "train": ["train", "sites/home", "--stack", "run/stack", "--split", "run/split.json", "--output", "made"],
}
COMMANDS["train"] += [*TRAIN, "--network.pretrained", "false"]
READ = [
    ("report", "run/config.yaml"),
    ("report", "run/run.json"),
    ("report", "run/split.json"),
    ("report", "run/check/0-home.json"),
    ("report", "run/arms/s2s2/seed0/fit.json"),
    ("report", "run/stack/manifest.json"),
    ("report", "run/stack/audit/audit.json"),
    ("report", f"{PREDICTED}/predictions.json"),
    ("predict", f"{NETWORK}/network.json"),
    ("evaluate", f"{PREDICTED}/predictions.json"),
    ("train", "run/stack/manifest.json"),
    ("train", "run/split.json"),
]
ODD: list[Any] = [None, 5, -1, "x", [], {}, [None], {"a": None}, True, float("inf")]
MOST = 16


@pytest.fixture
def place(finished: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("sites", "run"):
        shutil.copytree(finished.output.parent / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names_in(content: dict[str, Any], depth: int = 0) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value, of some levels, and of the first of each list."""
    for name, value in content.items():
        yield (name,)
        if isinstance(value, dict) and depth < 2:
            yield from ((name, *below) for below in list(names_in(value, depth + 1))[:8])
        elif isinstance(value, list) and value:
            yield name, 0


def changed(text: str, place: tuple[Any, ...], value: Any) -> str:
    content = yaml.safe_load(text)
    inner = content
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return json.dumps(content)  # JSON is YAML


@pytest.mark.parametrize(("command", "name"), READ)
def test_a_value_of_another_type(
    command: str,
    name: str,
    place: Path,
    finished: RunConfig,
    note: Note,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = place / name
    whole, rng = file.read_text(), random.Random(0)
    names = [found for found in names_in(yaml.safe_load(whole)) if found[0] != "format"]
    trust = ["--trust", finished.network.name] if command in ("predict", "report") else []
    for found in rng.sample(names, min(MOST, len(names))):
        for value in rng.sample(ODD, 2):
            file.write_text(changed(whole, found, value))
            shutil.rmtree(place / "made", ignore_errors=True)
            code = main([*COMMANDS[command], *trust])
            said = capsys.readouterr().err.strip()
            assert code in (0, 2), said
            assert code == 0 or said.splitlines()[-1].startswith("s2s2: ")
            note("records with odd values", Outcome.REFUSED if code else Outcome.RIGHT)
    file.write_text(whole)
    shutil.rmtree(place / "made", ignore_errors=True)
    assert main([*COMMANDS[command], *trust]) == 0
