"""Files that are no whole volumes: each is named, with what was got, expected and to do.

`s2s2 check` exits with 2, `s2s2 predict` skips the volume, says so and does the others.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from s2s2.cli import main
from tests.data.volumes.bad_files import FAULTS, SAVE, draw_one_bad, labels, save_h5, save_nifti, voxels
from tests.evaluation.known_networks import TRUSTED, save_known


@pytest.fixture
def drawn(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    """A data set of three good volumes and a bad one, and what must be said of the bad one."""
    kind, fault = request.param
    draw_one_bad(tmp_path / "set", kind, fault)
    return tmp_path / "set", FAULTS[kind, fault][1]


cases = pytest.mark.parametrize("drawn", FAULTS, indirect=True, ids="-".join)


@cases
def test_check_names_it(drawn: tuple[Path, tuple[str, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    folder, said = drawn
    assert main(["check", str(folder), "--json", "true"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    (found,) = (each for each in problems if each["rule"] == "unreadable-volume")
    assert found["subject"] == "bad"
    for each in said:
        assert each in found["message"]
    assert "\n" not in found["message"]


@cases
def test_predict_does_the_others(
    drawn: tuple[Path, tuple[str, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, said = drawn
    network = save_known(tmp_path / "network", channels=1, size=None)
    images = folder / "images" if (folder / "images").is_dir() else folder
    words = ["predict", str(network), str(images), "--output", str(tmp_path / "out")]
    assert main([*words, "--trust", TRUSTED[0]]) == 2
    told = capsys.readouterr()
    assert "bad was skipped" in told.err
    for each in said:
        assert each in told.err
    assert "3 predictions, 1 skipped" in told.out
    written = sorted(path.name.partition(".")[0] for path in (tmp_path / "out").glob("[!p]*.*"))
    assert written == ["one", "three", "two"]


@pytest.mark.parametrize("kind", SAVE)
def test_a_mask_of_another_shape_is_named(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, other = tmp_path / "set", labels()[:, :-1]
    if kind == "h5":
        save_h5(folder / "a", voxels(), other)
    else:
        SAVE[kind](folder / "images/a", voxels())
        (save_nifti if kind == "dicom" else SAVE[kind])(folder / "masks/a", other)
    assert main(["check", str(folder), "--json", "true"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    (found,) = (each for each in problems if each["rule"] == "volume-mask")
    ours, theirs = ("4 x 31 x 40", "4 x 32 x 40") if kind == "h5" else ("40 x 31 x 4", "40 x 32 x 4")
    assert ours in found["message"]
    assert theirs in found["message"]
