from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from s2s2.audit import Audit, RealImages, Segmenters, run_audit
from s2s2.core.storage import claimed
from s2s2.errors import AuditError, StackError, StorageError
from s2s2.stack import Stack
from s2s2.stack.pages import encode, read_index, read_page
from s2s2.stack.store import BUILT, case_path
from tests.audit.made import QUICK, Home, contents


def audit(
    home: Home,
    stack: Stack,
    judges: Segmenters,
    progress: Callable[..., None] | None = None,
    real: RealImages | None = None,
) -> Audit:
    return run_audit(
        stack, home.dataset, home.split, config=QUICK, segmenters=judges, progress=progress, real=real
    )


class StoppedError(Exception):
    pass


def stop_at(words: str, place: int) -> Callable[[int, int, str], None]:
    def stop(done: int, total: int, now: str) -> None:
        if now == words and done == place:
            raise StoppedError

    return stop


@pytest.mark.parametrize(("words", "place"), [("measuring real images", 2), ("judging copies", 3)])
def test_an_audit_that_was_stopped_goes_on_to_the_same_bytes(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack], words: str, place: int
) -> None:
    whole, interrupted = copied("whole"), copied("interrupted")
    audit(small, whole, judges)
    with pytest.raises(StoppedError):
        audit(small, interrupted, judges, stop_at(words, place))
    assert not (interrupted.path / "audit" / "audit.json").exists()
    kept = list((interrupted.path / "audit").glob("parts/*"))
    assert len(kept) == (place if words == "judging copies" else 0)
    audit(small, interrupted, judges)
    assert contents(interrupted.path) == contents(whole.path)
    assert not (interrupted.path / "audit" / "parts").exists()


def test_an_audit_that_was_killed_goes_on_to_the_same_bytes(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    whole, killed = copied("whole"), copied("killed")
    audit(small, whole, judges)
    arguments = [str(small.dataset.root), str(killed.path), str(small.judges)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.audit.killed", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("judging copies 2"):
            os.kill(process.pid, signal.SIGKILL)
            break
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    assert 2 <= len(list((killed.path / "audit" / "parts").glob("*.safetensors"))) < len(small.split.train)
    audit(small, killed, judges)
    assert contents(killed.path) == contents(whole.path)


def test_a_sheet_that_a_killed_process_left_unfinished_is_no_part_of_the_audit(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    stack = copied("left")
    sheets = set(audit(small, stack, judges).sheets)
    (stack.path / "audit" / "audit.json").unlink()
    left = stack.path / "audit" / "sheets" / ".1-0a1b2c3d.part.jpg"
    left.write_bytes(b"")
    assert set(audit(small, stack, judges).sheets) == sheets
    # It is removed an hour later, and the audit is as it was.
    left.unlink()
    record = json.loads((stack.path / "audit" / "audit.json").read_text())
    assert not [name for name in record["outputs"] if ".part" in name]
    assert set(audit(small, stack, judges).sheets) == sheets


def test_two_audits_of_one_stack_do_not_mix(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s2s2.core.storage.PATIENCE_S", 0.1)
    stack = copied("two")
    with (
        claimed(stack.path / "audit"),
        pytest.raises(StorageError, match=r"Another process is at work in .*audit"),
    ):
        audit(small, stack, judges)


def test_audits_of_two_stacks_measure_the_real_images_once(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    alone, first, second = copied("alone"), copied("first"), copied("second")
    audit(small, alone, judges)
    real, reported = RealImages(), []
    for stack in (first, second):
        audit(small, stack, judges, lambda done, total, words: reported.append(words), real)
        assert contents(stack.path) == contents(alone.path)
    assert reported.count("measuring real images") == len(small.split.train)


def test_a_finished_audit_is_kept(small: Home, judges: Segmenters, copied: Callable[[str], Stack]) -> None:
    stack = copied("kept")
    first = audit(small, stack, judges)
    reported: list[str] = []
    again = audit(small, stack, judges, lambda done, total, words: reported.append(words))
    assert again == first
    assert not reported


def test_changed_copies_are_judged_again(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    stack = copied("changed")
    before = audit(small, stack, judges)
    case_id, table = small.split.train[0], before.copies
    rewrite(stack, case_id, lambda pixels: pixels[::-1])
    after = audit(small, Stack.open(stack.path), judges)
    old, new = before.record["inputs"]["copies"], after.record["inputs"]["copies"]
    assert [name for name in old if old[name] != new[name]] == [case_id]
    old, new = (found[found["case"] == case_id]["agreement"].tolist() for found in (table, after.copies))
    assert new == old[::-1]


def rewrite(stack: Stack, case_id: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    path = case_path(stack.path, case_id)
    index = read_index(path)
    pixels = np.stack([read_page(path, index, number) for number in range(index.depth)])
    path.write_bytes(encode(change(pixels), index.note))
    (stack.path / BUILT).unlink(missing_ok=True)  # as if it had been built so


def test_a_interrupted_measurement_is_made_again(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    whole, interrupted = copied("whole"), copied("interrupted")
    audit(small, whole, judges)
    with pytest.raises(StoppedError):
        audit(small, interrupted, judges, stop_at("judging copies", 3))
    kept = sorted((interrupted.path / "audit" / "parts").glob("*"))
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    audit(small, interrupted, judges)
    assert contents(interrupted.path) == contents(whole.path)


def with_parts(stack: Stack, parts: list[dict[str, object]]) -> Stack:
    path = stack.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "parts": parts}))
    (stack.path / BUILT).unlink(missing_ok=True)  # as if it had been built so
    return Stack.open(stack.path)


def test_each_part_is_judged_by_what_it_promises(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    parts: list[dict[str, object]] = [
        {"name": "drawn", "config": {}, "traits": [], "copies": [0]},
        {"name": "drawn", "config": {"other": 1}, "traits": ["exact", "geometry"], "copies": [1, 2]},
    ]
    stack = with_parts(copied("parts"), parts)
    found = audit(small, stack, judges)
    assert set(found.record["parts"]) == {"drawn", "drawn #2"}
    assert found.record["parts"]["drawn #2"]["copies"] == 2 * len(small.split.train)
    table = found.copies
    exact = table[table["part"] == "drawn #2"]
    assert not exact["marks"].str.contains("unfaithful").any()
    assert exact["agreement"].notna().all()
    line = found.record["thresholds"]["duplicate"]
    # Rounded in the table, so those on the line itself are left out.
    own = exact[exact["nearest_case"] == exact["case"]]
    clear = own[(own["nearest_distance"] - line).abs() > 1e-5]
    assert len(clear)
    assert (clear["marks"].str.contains("memorised") == (clear["nearest_distance"] < line)).all()
    assert any("keep the geometry of the real image by design" in words for words in found.verdict)


def test_a_deeper_stack_is_audited_again(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack]
) -> None:
    from s2s2.stack import build_stack
    from tests.audit.made import Redrawn

    stack = copied("deeper")
    audit(small, stack, judges)
    deeper = build_stack(Redrawn(small.faults), small.dataset, small.split, stack.path, depth=4, seed=0)
    assert len(audit(small, deeper, judges).copies) == 4 * len(small.split.train)


def test_a_stack_of_another_split_is_refused(small: Home, judges: Segmenters) -> None:
    from s2s2.data import split_by_group

    other = split_by_group(small.dataset, fractions=(0.4, 0.2, 0.4), seed=3)
    with pytest.raises(StackError):
        run_audit(small.stack, small.dataset, other, config=QUICK, segmenters=judges)


def test_no_audit_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"There is no finished audit.*Run `s2s2 audit`"):
        Audit.load(tmp_path)


@pytest.mark.parametrize("text", ["{", '{"format": 1}'])
def test_a_interrupted_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "audit.json").write_text(text)
    with pytest.raises(AuditError):
        Audit.load(tmp_path)


@pytest.mark.parametrize("name", ["audit.json", "copies.csv", "cases.csv"])
def test_an_audit_that_was_altered_is_not_read(
    small: Home, judges: Segmenters, copied: Callable[[str], Stack], name: str
) -> None:
    stack = copied(f"altered-{name}")
    path = audit(small, stack, judges).folder / name
    text = path.read_text()
    path.write_text(text.replace("0.1", "0.2", 1) if "0.1" in text else text[:-1])
    with pytest.raises(AuditError, match=rf"{name}.*`s2s2 audit`|{name} was altered"):
        Audit.load(stack.path)


def test_many_classes_grey_and_16_bit(tmp_path: Path) -> None:
    from s2s2.data import Dataset, split_by_group
    from s2s2.generators import build_generator
    from s2s2.stack import build_stack
    from tests.drawn import draw_site

    dataset = Dataset.open(draw_site(tmp_path / "site", cases=8, channels=1, classes=4), size=32)
    split = split_by_group(dataset, fractions=(0.5, 0.25, 0.25))
    stack = build_stack(
        build_generator("appearance"), dataset, split, tmp_path / "stack", depth=2, seed=0, bits=16
    )
    found = run_audit(stack, dataset, split, config=QUICK)
    names = dataset.class_map.names[1:]
    assert found.record["classes"] == list(names)
    assert {f"agreement_{name}" for name in names} <= set(found.copies.columns)
    assert (stack.path / "audit" / "segmenters" / "fold1" / "fit.json").is_file()
    assert "seconds" not in json.dumps(found.record)
