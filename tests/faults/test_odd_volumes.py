"""Odd and corrupt volumes through run and predict: refused by name, or skipped and the others predicted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import pydicom
import pytest

from tests.data.volumes.bad_files import FAULTS, draw_one_bad
from tests.drawn_volumes import AFFINE, disc, draw_volumes, save
from tests.evaluation.known_networks import TRUSTED, save_known
from tests.faults.table import Note, Outcome, call, judge, state

pytestmark = pytest.mark.slow
Said = Callable[[], str]
MASKS = [each for each in FAULTS if each[0] in ("nifti", "nrrd", "mha") and each[1] != "NaN"]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_volumes(tmp_path_factory.mktemp("volumes") / "good")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Returns what was said on both streams since it was asked last."""
    return lambda: "".join(capsys.readouterr())


def refused(words: list[object], said: Said, *names: str) -> Outcome:
    """Run a command that must refuse, and name all of these."""
    ended = call(words, said)
    assert ended.code == 2, ended.said
    for name in names:
        assert name in ended.said
    return judge(ended, named=names, right=lambda: False)


@pytest.mark.parametrize(("kind", "fault"), FAULTS)
def test_an_odd_volume_is_refused_before_anything_is_learnt(
    kind: str, fault: str, good: Path, tmp_path: Path, note: Note, said: Said
) -> None:
    bad, output = tmp_path / "bad", tmp_path / "run"
    draw_one_bad(bad, kind, fault)
    words = ["run", "--output", output, "--size", "32"]
    names = ("bad", *FAULTS[kind, fault][1])
    note("odd volumes: run", refused([*words, "--data", bad], said, *names))
    note("odd volumes: run", refused([*words, "--data", good, "--target", bad], said, *names))
    assert not [*output.rglob("*.safetensors"), *output.rglob("stack*")]


@pytest.mark.parametrize(("kind", "fault"), FAULTS)
def test_an_odd_volume_is_skipped_and_no_other_changes(
    kind: str, fault: str, tmp_path: Path, note: Note, said: Said
) -> None:
    images, output = draw_one_bad(tmp_path / "bad", kind, fault), tmp_path / "out"
    network = save_known(tmp_path / "network", channels=1, size=None)
    words = ["predict", network, images, "--trust", TRUSTED[0], "--output"]
    note("odd volumes: predict", refused([*words, output], said, "bad", *FAULTS[kind, fault][1]))
    for path in images.glob("bad*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert call([*words, tmp_path / "whole"], said).code == 0
    found, expected = (state(each, but=("predictions.json",)) for each in (output, tmp_path / "whole"))
    assert found == expected
    assert len(found) == 3
    assert [*json.loads((output / "predictions.json").read_text())["failed"]] == ["bad"]


@pytest.mark.parametrize(("kind", "fault"), MASKS)
def test_an_odd_mask_is_refused_and_hinders_no_prediction(
    kind: str, fault: str, tmp_path: Path, note: Note, said: Said
) -> None:
    bad = tmp_path / "bad"
    draw_one_bad(bad, kind, fault, "masks")
    words = ["run", "--data", bad, "--output", tmp_path / "run", "--size", "32"]
    note("odd volumes: masks", refused(words, said, "bad"))
    network = save_known(tmp_path / "network", channels=1, size=None)
    words = ["predict", network, bad / "images", "--trust", TRUSTED[0], "--output", tmp_path / "out"]
    assert call(words, said).code == 0


def test_a_mask_of_another_shape_or_of_fractions_is_refused(
    good: Path, tmp_path: Path, note: Note, said: Said
) -> None:
    _, labels = disc(2)
    for name, odd in (("shape", labels[:, :-1]), ("fractions", labels * 0.5)):
        home = Path(shutil.copytree(good, tmp_path / name))
        save(home / "masks" / "patient2.nii.gz", odd, AFFINE)
        words = ["run", "--data", home, "--output", tmp_path / f"{name}-run", "--size", "32"]
        note("odd volumes: masks", refused(words, said, "patient2.nii.gz"))


def test_files_of_libraries_are_read_or_skipped_by_name(tmp_path: Path, note: Note, said: Said) -> None:
    images = tmp_path / "images"
    for library, folder in ((nibabel, "tests/data"), (pydicom, "data/test_files")):
        for path in sorted((Path(library.__file__).parent / folder).glob("*.*")):
            if path.name.endswith((".nii", ".nii.gz", ".dcm")):
                (images / path.name).mkdir(parents=True)
                shutil.copy(path, images / path.name)
    network, output = save_known(tmp_path / "network", channels=1, size=32), tmp_path / "out"
    ended = call(["predict", network, images, "--trust", TRUSTED[0], "--output", output], said)
    assert ended.code == 2, ended.said
    facts = json.loads((output / "predictions.json").read_text())
    read, skipped = ({name.partition("/")[0] for name in facts[part]} for part in ("label_maps", "failed"))
    assert read | skipped == {path.name for path in images.iterdir()}
    assert {"anatomical.nii", "standard.nii.gz", "CT_small.dcm", "MR_small_RLE.dcm"} <= read
    assert {"functional.nii", "MR_truncated.dcm", "SC_rgb_rle.dcm", "rtplan.dcm", "rtdose.dcm"} <= skipped
    for name in skipped:
        (line,) = (line for line in ended.said.splitlines() if line.startswith(f"s2s2: {name}"))
        assert " was skipped: " in line
        assert line.endswith(".")
    for outcome, names in ((Outcome.RIGHT, read), (Outcome.REFUSED, skipped)):
        for _ in names:
            note("odd volumes: files of libraries", outcome)
