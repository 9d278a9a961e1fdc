"""Odd and corrupt images through check, predict and run: read rightly, or refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.cli import main
from s2s2.data import Dataset
from s2s2.pipeline import RunConfig
from tests.drawn import draw_site
from tests.faults.odd_files import odd_images
from tests.faults.table import Note, Outcome

pytestmark = pytest.mark.slow
CASE = "case_00"


def _example() -> np.ndarray:
    """An image for the names of the tests; the site has others."""
    return np.zeros((8, 8, 3), np.uint8)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_site(tmp_path_factory.mktemp("odd") / "home", cases=6, seed=1, shape=(40, 40))


@pytest.fixture
def home(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "home"))


@pytest.mark.parametrize("name", odd_images(_example()))
def test_an_odd_image_is_read_or_refused(
    name: str, home: Path, finished: RunConfig, note: Note, capsys: pytest.CaptureFixture[str]
) -> None:
    good = home / "images" / f"{CASE}.png"
    odd = odd_images(np.asarray(Image.open(good)))[name]
    good.unlink()
    good.with_suffix(f".{odd.suffix}").write_bytes(odd.content)
    network = str(finished.output / "arms" / "s2s2" / "seed0" / "network")
    output = str(home.parent / "out")
    commands = {
        "check": ["check", str(home), "--json"],
        "predict": ["predict", network, str(home / "images"), "--output", output],
        "run": ["run", "--data", str(home), "--output", f"{output}-run", "--size", "32"],
    }
    commands["predict"] += ["--trust", finished.network.name]
    if odd.expected is not None:
        del commands["run"]  # it goes on from a check that passed
    for kind, words in commands.items():
        code = main(words)
        captured = capsys.readouterr()
        if odd.expected is None:
            assert code == 2
            assert CASE in captured.out + captured.err or "channels" in captured.out + captured.err
        else:
            assert code == 0, captured.out + captured.err
            data = Dataset.open(home)
            seen = data.image(data.case(CASE)).transpose(1, 2, 0) * 255
            assert np.abs(seen - odd.expected).max() <= odd.off + 0.51
        note(f"odd images: {kind}", Outcome.REFUSED if odd.expected is None else Outcome.RIGHT)
