from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.errors import EvaluationError, StorageError
from s2s2.report.tuning import tunings
from tests.report.learnt import tuned


def test_a_tuning_says_what_it_learnt_from_and_what_was_kept(tmp_path: Path) -> None:
    (found,) = tunings({"diffusion-0a1b2c3d": tuned(tmp_path / "tuned")})
    assert found.name == "diffusion"
    assert found.words == (
        "Tuned for 300 steps on 2 training cases and no other. Kept were the weights of step 300, by the "
        "agreement of their samples (Dice 0.590)."
    )
    assert [curve.title for curve in found.curves] == ["Loss", "Agreement of the samples"]
    assert "<path" in found.curves[0].svg
    assert 'class="mark"' not in found.curves[0].svg
    assert 'class="mark"' in found.curves[1].svg


def test_the_last_samples_are_shown(tmp_path: Path) -> None:
    (found,) = tunings({"diffusion": tuned(tmp_path / "tuned")})
    assert found.samples is not None
    assert found.samples.uri.startswith("data:image/webp")
    assert (found.samples.width, found.samples.height) == (90, 40)
    assert found.samples.caption.startswith("Samples after 300 steps")


def test_without_a_judge_there_is_no_curve_of_agreement(tmp_path: Path) -> None:
    (found,) = tunings({"diffusion": tuned(tmp_path / "tuned", agreement=None)})
    assert [curve.title for curve in found.curves] == ["Loss"]
    assert "No samples were judged" in found.words


def test_a_tuning_under_way_is_said_to_be_so(tmp_path: Path) -> None:
    (found,) = tunings({"diffusion": tuned(tmp_path / "tuned", finished=False)})
    assert found.words.startswith("Not finished yet")


def test_parts_below_a_folder_are_shown_and_judges_are_not(tmp_path: Path) -> None:
    tuned(tmp_path / "tuned" / "autoencoder")
    tuned(tmp_path / "tuned" / "flow")
    (tmp_path / "tuned" / "judges" / "fold0").mkdir(parents=True)
    (tmp_path / "tuned" / "judges" / "fold0" / "history.csv").write_text("step,total\n1,2\n")
    found = tunings({"mixed": tmp_path / "tuned"})
    assert [each.name for each in found] == ["mixed, autoencoder", "mixed, flow"]


def test_names_that_only_settings_tell_apart_are_kept_whole(tmp_path: Path) -> None:
    folders = {f"diffusion-{digits}": tuned(tmp_path / digits) for digits in ("0a1b2c3d", "11111111")}
    assert [each.name for each in tunings(folders)] == list(folders)


def test_a_tuning_without_a_check_has_words_alone(tmp_path: Path) -> None:
    folder = tuned(tmp_path / "tuned", finished=False)
    (folder / "history.csv").unlink()
    for path in (folder / "samples").iterdir():
        path.unlink()
    (found,) = tunings({"diffusion": folder})
    assert (found.curves, found.samples) == ((), None)


def test_corrupt_files_are_named(tmp_path: Path) -> None:
    folder = tuned(tmp_path / "tuned")
    (folder / "samples" / "step-000300.jpg").write_bytes(b"no picture")
    with pytest.raises(StorageError, match=r"step-000300\.jpg cannot be shown"):
        tunings({"diffusion": folder})
    (folder / "history.csv").write_bytes(b"")
    with pytest.raises(EvaluationError, match=r"history\.csv cannot be read as a table"):
        tunings({"diffusion": folder})
