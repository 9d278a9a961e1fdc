from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from s2s2.core import storage
from s2s2.core.storage import (
    atomic,
    read_json,
    refuse_links,
    remove_leftovers,
    storage_errors,
    whole_files,
    write_json,
    write_text,
)
from s2s2.errors import DataError, SplitError, StorageError


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.png"

    def write_half() -> None:
        with atomic(target) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_half()
    assert list(target.parent.iterdir()) == []
    with atomic(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".png"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert [path.name for path in target.parent.iterdir()] == ["file.png"]


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"value": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"value": object()})
    assert read_json(tmp_path / "a.json")["value"] == 1


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "no permission")],
)
def test_a_disk_that_refuses_is_named(tmp_path: Path, number: int, words: str) -> None:
    with (
        pytest.raises(StorageError, match=rf"Cannot write .*file\.bin: .*{words}"),
        atomic(tmp_path / "file.bin"),
    ):
        raise OSError(number, os.strerror(number))


def test_a_full_disk_is_known_in_other_words() -> None:
    with (
        pytest.raises(StorageError, match=r"the disk is full\. Free some space"),
        storage_errors("run/weights"),
    ):
        raise RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/7")


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="a bug"), storage_errors("x"):
        raise RuntimeError("a bug")
    with pytest.raises(FileNotFoundError), storage_errors("x"):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="a file"):
        write_json(tmp_path / "file" / "a.json", {})


def test_json_carries_its_format(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "Klinikum Süd"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {
        "format": 1,
        "name": "Klinikum Süd",
    }


def test_json_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(SplitError, match=r"There is no file .*split\.json"):
        read_json(tmp_path / "split.json", error=SplitError)
    (tmp_path / "corrupt.json").write_text('{"a": ')
    with pytest.raises(DataError, match=r"corrupt\.json cannot be read as JSON"):
        read_json(tmp_path / "corrupt.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(DataError, match="holds a list, expected a JSON object"):
        read_json(tmp_path / "list.json")
    (tmp_path / "later.json").write_text('{"format": 2}')
    with pytest.raises(DataError, match="is of format 2, expected 1"):
        read_json(tmp_path / "later.json")


def test_a_claim_keeps_others_out_until_it_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PATIENCE_S", 0.0)
    with storage.claimed(tmp_path / "new"):
        with (
            pytest.raises(StorageError, match=r"Another process is at work in .*new"),
            storage.claimed(tmp_path / "new"),
        ):
            pytest.fail("the folder was claimed twice")
        assert all(path.name == storage.LOCK for path in (tmp_path / "new").iterdir())
    with storage.claimed(tmp_path / "new"):
        pass


def test_a_claim_is_dropped_with_the_process(tmp_path: Path) -> None:
    claim = "import sys, os; from s2s2.core.storage import claimed; "
    claim += "held = claimed(sys.argv[1]); held.__enter__(); os._exit(9)"
    killed = subprocess.run([sys.executable, "-c", claim, str(tmp_path)], check=False)
    assert killed.returncode == 9
    with storage.claimed(tmp_path):
        pass


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError()])
def test_a_disk_without_locks_is_worked_on_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def unknown(lock: filelock.FileLock, **options: float) -> None:
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", unknown)
    done = False
    with storage.claimed(tmp_path):
        done = True
    assert done


def test_files_follow_the_umask_whoever_writes_them(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic(tmp_path / "weights.bin") as temporary:
            os.close(os.open(temporary, os.O_CREAT, 0o600))
        write_text(tmp_path / "card.json", "{}")
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == {"weights.bin": 0o640, "card.json": 0o640}


def test_a_link_that_leads_out_of_a_folder_is_refused(tmp_path: Path) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    (run / "arms" / "s2s2").mkdir(parents=True)
    elsewhere.mkdir()
    (run / "latest").symlink_to(run / "arms")
    (tmp_path / "other_name").symlink_to(run)
    refuse_links(run)
    refuse_links(tmp_path / "other_name")
    refuse_links(tmp_path / "missing")
    for target in (elsewhere, tmp_path / "nowhere", Path("../../../elsewhere")):
        link = run / "arms" / "s2s2" / "seed0"
        link.symlink_to(target)
        with pytest.raises(StorageError, match=r"seed0 is a link that leads out of .*run, to "):
            refuse_links(run)
        link.unlink()


def test_deep_or_huge_json_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "deep.json"
    file.write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(DataError, match=r"deep\.json is nested too deep"):
        read_json(file)
    monkeypatch.setattr(storage, "LARGEST", 1000)
    with pytest.raises(DataError, match=r"deep\.json holds more than"):
        read_json(file)


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    old, young, file = (tmp_path / "deep" / name for name in (".1-a.part.csv", ".2-b.part", "a.part.csv"))
    for path in (old, young, file):
        path.write_text("half")
    os.utime(old, (1, 1))
    remove_leftovers(tmp_path, older_than_s=100)
    assert [path.exists() for path in (old, young, file)] == [False, True, True]
    remove_leftovers(tmp_path)
    assert [path.exists() for path in (young, file)] == [False, True]


def test_unfinished_files_are_not_listed(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "c.tif", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    with atomic(tmp_path / "d.jpg") as temporary:
        temporary.touch()
        listed = whole_files(tmp_path, "*.jpg")
    assert [path.name for path in listed] == [".hidden.jpg", "a.jpg", "b.jpg"]
    assert len(whole_files(tmp_path)) == 5
    assert whole_files(tmp_path / "nowhere") == []
