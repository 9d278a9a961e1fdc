"""Outputs that are, hold or lie in an input: every command refuses them and leaves all files as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from s2s2.cli import main
from s2s2.pipeline import RunConfig
from tests.drawn import SMALL_NETWORK, draw_site

pytestmark = pytest.mark.fault("outputs over inputs", "refused")


@pytest.fixture
def data(finished: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Copies of a data set and of what was made of another, in the working directory."""
    draw_site(tmp_path / "site", cases=3)
    (tmp_path / "site" / "groups.csv").write_text(
        "case,group\n" + "".join(f"case_{n:02d},{n}\n" for n in range(3))
    )
    (tmp_path / "site" / "m.csv").write_text("image,mask\nimages/case_00.png,masks/case_00.png\n")
    shutil.copytree(tmp_path / "site" / "images", tmp_path / "new")
    shutil.copytree(finished.output / "arms" / "s2s2" / "seed0" / "network", tmp_path / "network")
    shutil.copy(finished.output / "split.json", tmp_path / "split.json")
    shutil.copy(finished.output / "scores.csv", tmp_path / "scores.csv")
    (tmp_path / "linked").symlink_to(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    return {}


REFUSED = [
    "predict network new --output new",
    "predict network new --output new/out",
    "predict network new --output linked/out",
    "predict network linked --output new",
    "predict network new --output .",
    "predict network new --output network",
    "predict network site --output site/masks",
    "predict network site --output site/images/out",
    "predict network site --output site",
    "predict network site/m.csv --output site/images",
    "predict network site/m.csv --output site/m.csv",
    "split site --output site/groups.csv",
    "split site/m.csv --output site/m.csv",
    "split site --output site/masks/split.json",
    "train site --split split.json --arm baseline --output site/images/trained",
    "train site --split split.json --arm baseline --output site",
    "train site --split split.json --arm baseline --output split.json",
    "stack site --split split.json --output site/masks",
    "tune site --split split.json --output site/images",
    "run --data site --output site",
    "run --data site --output site/images/run",
    "run --data site --target new --output new/run",
    "evaluate new site --output site/masks/case_00.png",
    "compare scores.csv --output scores.csv",
]


@pytest.mark.parametrize("line", REFUSED)
def test_it_is_refused_before_anything_is_written(
    data: dict[str, str], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(tmp_path)
    assert main(line.split()) == 2
    assert "Nothing was written" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_masks_are_no_predictions(
    data: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "masks").symlink_to(tmp_path / "site" / "masks")
    for folder in ("site/masks", "masks"):
        assert main(["evaluate", folder, "site", "--output", "s.csv"]) == 2
        assert "scored against themselves they are perfect" in capsys.readouterr().err
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize(
    "line",
    [
        "predict network site --output site/predicted",
        "predict network site/m.csv --output site/predicted",
        "split site --output site/split.json",
        "predict network new --output trained",
    ],
)
def test_outputs_that_no_reader_takes_for_data_are_welcome(data: dict[str, str], line: str) -> None:
    trusted = ["--trust", SMALL_NETWORK["name"]] if line.startswith("predict") else []
    assert main(line.split() + trusted) == 0


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
