from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from s2s2.core import records
from s2s2.core.arrays import load_arrays, save_arrays
from s2s2.core.inputs import Inputs
from s2s2.core.records import (
    Record,
    file_identity,
    forget_identities,
    keep_identities,
    recall_identities,
)
from s2s2.errors import S2S2Error, StorageError, TrainingError


def test_every_difference_is_named() -> None:
    before = {"train": {"steps": 100, "rate": 0.1}, "seed": 0, "old": None}
    now = Inputs({"train": {"steps": 200, "rate": 0.1}, "seed": 0, "path": Path("a")})
    assert now.differences(before) == [
        "train.steps was 100, now 200",
        'path was not there, now "a"',
        "old was null, now not there",
    ]
    assert now.differences(now.values) == []


def test_of_a_long_list_what_was_added_and_removed_is_named() -> None:
    ids = [f"case_{number:02}" for number in range(40)]
    assert Inputs({"train": [*ids[2:], "new"]}).differences({"train": ids}) == [
        "train has lost case_00, case_01 and has gained new"
    ]
    assert Inputs({"train": ids[::-1]}).differences({"train": ids}) == ["train has another order"]
    assert Inputs({"channels": [1, 2]}).differences({"channels": [2, 1]}) == [
        "channels was [2, 1], now [1, 2]"
    ]
    long = Inputs({"text": "b" * 999}).differences({"text": "a" * 999})[0]
    assert len(long) < 200


def test_the_digest_depends_on_values_alone() -> None:
    one, two = Inputs({"a": (1, 2), "b": {"c": 1.5}}), Inputs({"b": {"c": 1.5}, "a": [1, 2]})
    assert one.digest == two.digest != Inputs({"a": [1, 2], "b": {"c": 1.25}}).digest
    assert len(one.digest) == 16


def test_work_is_done_until_an_input_or_an_output_changes(tmp_path: Path) -> None:
    made = tmp_path / "deep" / "made.txt"
    made.parent.mkdir()
    made.write_text("whole")
    record = Record(tmp_path / "record.json", {"size": 32})
    assert not record.holds()
    record.begin()
    assert not record.holds()
    assert record.content()["finished"] is False
    record.finish({"found": 1}, [made])
    assert record.holds()
    assert record.require("")["found"] == 1
    assert record.content()["outputs"] == {"deep/made.txt": {"size": 5, "digest": file_identity(made)}}
    other = Record(record.path, {"size": 64})
    assert not other.holds()
    assert other.differences() == ["size was 32, now 64"]
    made.write_text("cut")
    assert not record.holds()
    made.unlink()
    assert not record.holds()


def test_work_of_other_inputs_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    record = Record(path, {"steps": 1}, error=TrainingError)
    assert record.require("Anything.") == {}
    record.begin()
    words = r"was made of other inputs: steps was 1, now 2\. Nothing was changed\. Give another folder\.$"
    with pytest.raises(TrainingError, match=words):
        Record(path, {"steps": 2}, error=TrainingError).require("Give another folder.")
    before = path.read_bytes()
    many = Record(path, {"steps": 1} | {f"more{number}": number for number in range(9)})
    with pytest.raises(StorageError, match=r"more0 was not there, now 0; .* and 4 more\. "):
        many.require("")
    assert path.read_bytes() == before


def test_a_record_of_earlier_versions_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "fit.json").write_text(json.dumps({"format": 1, "finished": True, "fingerprint": "ab"}))
    record = Record(tmp_path / "fit.json", {"steps": 1})
    assert not record.holds()
    with pytest.raises(S2S2Error, match="steps was not there, now 1"):
        record.require("")


def test_a_corrupt_record_does_not_hold_and_is_not_built_on(tmp_path: Path) -> None:
    record = Record(tmp_path / "record.json", {}, error=TrainingError)
    record.finish()
    assert record.holds()
    record.path.write_text(record.path.read_text()[:10])
    assert not record.holds()
    assert record.done("") is None
    with pytest.raises(TrainingError, match="cannot be read as JSON"):
        record.require("")


@pytest.fixture
def work(tmp_path: Path) -> Record:
    """Finished work of two outputs."""
    for name in ("one.txt", "two.txt"):
        (tmp_path / "made" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "made" / name).write_text(f"content of {name}")
    record = Record(tmp_path / "made" / "record.json", {"size": 32}, error=TrainingError)
    record.finish({"found": 1.5}, sorted((tmp_path / "made").glob("*.txt")))
    return record


def test_each_alteration_of_an_output_is_named(work: Record) -> None:
    one, two = (work.path.with_name(name) for name in ("one.txt", "two.txt"))
    assert work.faults() == []
    one.write_text("cut")
    assert work.faults() == [f"{one} has 3 bytes, expected 18"]
    two.write_text("content of ONE.txt")
    assert work.faults()[1] == f"{two} holds other bytes than were written"
    two.unlink()
    assert work.altered()[two] == "is missing"
    assert not work.holds()
    assert not work.is_finished
    with pytest.raises(
        TrainingError, match=r"one\.txt has 3 bytes, .*two\.txt is missing\. Nothing .* Stop\.$"
    ):
        work.require_whole("Stop.")


def test_a_copied_or_touched_folder_is_whole(work: Record, tmp_path: Path) -> None:
    shutil.copytree(work.path.parent, tmp_path / "copied", copy_function=shutil.copyfile)
    for path in (tmp_path / "copied").iterdir():
        os.utime(path, ns=(1, 1))
    assert Record(tmp_path / "copied" / "record.json", {"size": 32}).holds()


@pytest.mark.parametrize(
    ("old", "new"), [("1.5", "2.5"), ("32", "31"), ("true", "false"), ('"size": 18', '"size": 19')]
)
def test_a_record_that_was_altered_does_not_hold(
    work: Record, caplog: pytest.LogCaptureFixture, old: str, new: str
) -> None:
    text = work.path.read_text()
    assert old in text
    work.path.write_text(text.replace(old, new, 1))
    assert work.is_unreadable
    assert not work.holds()
    assert work.done("") is None
    with pytest.raises(TrainingError, match=r"record\.json was altered since it was written.*delete it"):
        work.content()
    work.begin()
    (line,) = caplog.messages
    assert line.startswith(f"s2s2: {work.path} was altered")
    assert not work.is_unreadable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"finished": "yes"}',
        b'{"finished": true, "outputs": 3}',
        b'{"finished": true, "outputs": {"one.txt": 18}}',
        b'{"finished": true, "inputs": [], "seal": 1}',
    ],
)
def test_what_is_no_record_is_none_where_work_is_done_again(work: Record, content: bytes) -> None:
    work.path.write_bytes(content)
    assert not work.holds()
    assert work.done("") is None
    assert len(work.faults()) == 1
    with pytest.raises(TrainingError, match=r"record\.json"):
        work.content()


def test_a_record_in_the_place_of_another_is_found(work: Record, tmp_path: Path) -> None:
    shutil.copy(work.path, tmp_path / "made" / "other.json")
    assert Record(tmp_path / "made" / "other.json", {"size": 32}).is_unreadable
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(work.path, tmp_path / "elsewhere" / "record.json")
    with pytest.raises(
        StorageError, match=r"size was 32, now 64\. .*elsewhere/record\.json may be .*one\.txt is missing"
    ):
        Record(tmp_path / "elsewhere" / "record.json", {"size": 64}).require("Stop.")


def test_an_output_elsewhere_is_not_looked_at(work: Record) -> None:
    outside = work.path.parent.parent / "outside.txt"
    outside.write_text("secret")
    work._write(
        {"finished": True, "outputs": {"../outside.txt": {"size": 6, "digest": file_identity(outside)}}}
    )
    assert work.faults() == [f"{work.path.parent / '../outside.txt'} is no file of this folder"]


def test_work_is_begun_again_with_one_line_that_says_why(
    work: Record, caplog: pytest.LogCaptureFixture
) -> None:
    work.begin()
    assert caplog.messages == []
    work.finish(outputs=[work.path.with_name("one.txt")])
    work.path.with_name("one.txt").unlink()
    work.begin()
    assert caplog.messages == [
        f"s2s2: {work.path.with_name('one.txt')} is missing. What was derived is made again."
    ]


def test_what_size_and_times_hide_is_found_when_files_are_read_again(work: Record) -> None:
    one = work.path.with_name("one.txt")
    before = file_identity(one)
    one.write_text("content of ONE.txt")
    records._seen[str(one)] = (records._state(one), before)  # a disk that keeps no times of changes
    assert work.holds()
    forget_identities()
    assert not work.holds()


def test_a_file_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    before = file_identity(path)
    os.utime(path, ns=(1, 1))
    assert file_identity(path) == before
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert file_identity(path) != before
    path.write_bytes(b"one")
    assert file_identity(path) == before


def test_identities_are_kept_for_the_next_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    before = file_identity(path)
    keep_identities(tmp_path / "files.json")
    monkeypatch.setattr(records, "_seen", {})
    recall_identities(tmp_path / "files.json")
    monkeypatch.setattr(records, "content_digest", None)
    assert file_identity(path) == before
    text = (tmp_path / "files.json").read_text()
    monkeypatch.setattr(records, "_seen", {})
    (tmp_path / "files.json").write_text(text.replace(before, "0" * 16))
    recall_identities(tmp_path / "files.json")
    assert records._seen == {}
    for broken in ("{", "[]", '{"files": 3}', '{"files": [[1, 2], "a"]}'):
        (tmp_path / "files.json").write_text(broken)
        recall_identities(tmp_path / "files.json")


def test_arrays_are_kept_for_the_same_inputs_alone(tmp_path: Path) -> None:
    path, inputs = tmp_path / "kept.safetensors", Inputs({"seed": 0})
    assert load_arrays(path, inputs) is None
    arrays = {"a": np.arange(6.0).reshape(2, 3).T, "b": np.zeros(0, np.float32), "c": np.array([1], np.int64)}
    save_arrays(path, arrays, inputs)
    kept = load_arrays(path, inputs)
    assert kept is not None
    assert kept.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(kept[name], array, strict=True)
    assert load_arrays(path, Inputs({"seed": 1})) is None
    path.write_bytes(path.read_bytes()[:40])
    assert load_arrays(path, inputs) is None
