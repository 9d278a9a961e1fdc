from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from s2s2.core import records
from s2s2.core.records import (
    Inputs,
    Record,
    file_identity,
    keep_identities,
    load_arrays,
    recall_identities,
    save_arrays,
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
    assert record.content()["outputs"] == {"deep/made.txt": 5}
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
    with pytest.raises(TrainingError, match="cannot be read as JSON"):
        record.require("")


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
