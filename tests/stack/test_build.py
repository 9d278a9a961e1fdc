from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.core.records import file_identity
from s2s2.data import Dataset, Split
from s2s2.data.identity import mask_digest
from s2s2.errors import ConfigError, SplitError, StackError, StorageError
from s2s2.stack import Stack, build_stack
from s2s2.stack.builder import Builder
from s2s2.stack.store import case_path, manifest_path
from tests.stack.made import Echo, build, opened

Home = tuple[Dataset, Split]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def start_builder(site: Path, folder: Path, *, pause_s: float, depth: int = 4) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.stack.made", str(site), str(folder), str(pause_s), str(depth)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[2])


def wait_for_files(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.glob("copies/case_*.tif"))) < count:
        assert time.monotonic() < deadline, "the builder made no files"
        time.sleep(0.01)


def test_every_training_case_has_its_copies(home: Home, stack: Stack) -> None:
    dataset, split = home
    assert stack.ids == split.train
    assert stack.depth == 4
    expected = Echo().fit(dataset, split)
    for case_id in stack.ids:
        copies = expected.sample(dataset.case(case_id), 4, 0)
        for number in range(4):
            steps = np.rint(copies[number] * 255).astype(np.uint8)
            np.testing.assert_array_equal(stack.copy(case_id, number), steps / np.float32(255))


def test_manifest_says_what_the_stack_was_made_from(home: Home, stack: Stack) -> None:
    dataset, split = home
    manifest = json.loads(manifest_path(stack.path).read_text())
    assert manifest["format"] == 1
    assert manifest["generator"] == {"name": "echo", "config": {"noise": 0.05}}
    assert (manifest["seed"], manifest["depth"], manifest["size"]) == (0, 4, 32)
    assert (manifest["channels"], manifest["bits"]) == (3, 8)
    assert manifest["source"] == sorted(split.train)
    assert manifest["cases"] == {
        case.id: {"mask": mask_digest(dataset, case), "image": file_identity(case.image_path)}
        for case in map(dataset.case, split.train)
    }
    assert manifest["software"]["s2s2"]
    assert manifest["software"]["opencv-python-headless"]
    assert stack.manifest == manifest


def test_sixteen_bits_keep_more(home: Home, tmp_path: Path) -> None:
    dataset, split = home
    stack = build_stack(Echo(), dataset, split, tmp_path / "deep", depth=1, seed=0, bits=16)
    case = dataset.case(split.train[0])
    error = np.abs(stack.copy(case.id, 0) - Echo().fit(dataset, split).sample(case, 1, 0)[0]).max()
    assert error <= 0.5 / 65535 + 1e-7


def test_a_finished_stack_is_left_alone_and_nothing_is_fitted(home: Home, stack: Stack) -> None:
    before = {file: file.stat().st_mtime_ns for file in (stack.path / "copies").iterdir()}
    generator = Echo()
    again = build_stack(generator, *home, stack.path, depth=4, seed=0)
    assert generator.case_ids == ()
    assert again.manifest == stack.manifest
    assert {file: file.stat().st_mtime_ns for file in (stack.path / "copies").iterdir()} == before


def test_a_killed_builder_is_resumed_to_the_same_bytes(site: Path, home: Home, tmp_path: Path) -> None:
    build(site, tmp_path / "whole")
    builder = start_builder(site, tmp_path / "killed", pause_s=0.05)
    wait_for_files(tmp_path / "killed", 2)
    builder.send_signal(signal.SIGKILL)
    assert builder.wait() == -signal.SIGKILL
    made = len(list((tmp_path / "killed").glob("copies/case_*.tif")))
    assert made < len(home[1].train)
    generator = Echo()
    build_stack(generator, *home, tmp_path / "killed", depth=4, seed=0)
    assert len(generator.asked) == len(home[1].train) - made
    for leftover in (tmp_path / "killed" / "copies").glob(".*.part.tif"):
        leftover.unlink()
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_two_builders_at_once_make_one_stack(site: Path, tmp_path: Path) -> None:
    build(site, tmp_path / "whole")
    builders = [start_builder(site, tmp_path / "shared", pause_s=0.02) for _ in range(2)]
    assert [builder.wait(timeout=90) for builder in builders] == [0, 0]
    assert contents(tmp_path / "shared") == contents(tmp_path / "whole")


def test_a_file_that_another_builder_finishes_meanwhile_is_left_alone(
    home: Home, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, generator = contents(stack.path / "copies"), Echo()
    # At the first look no file is there; when its copies are read, all are.
    monkeypatch.setattr(Builder, "whole", lambda builder, case_id: False)
    build_stack(generator, *home, stack.path, depth=4, seed=0)
    assert generator.asked == []
    assert contents(stack.path / "copies") == before


def test_processes_make_the_bytes_of_one(home: Home, stack: Stack, tmp_path: Path) -> None:
    threads = os.environ.get("OMP_NUM_THREADS")
    build_stack(Echo(), *home, tmp_path / "jobs", depth=4, seed=0, jobs=2)
    assert contents(tmp_path / "jobs") == contents(stack.path)
    assert os.environ.get("OMP_NUM_THREADS") == threads


def test_an_error_in_a_process_reaches_the_user(home: Home, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="not finite"):
        build_stack(Echo(fault="nan"), *home, tmp_path / "jobs", depth=2, seed=0, jobs=2)


def test_a_generator_that_cannot_travel_is_refused_in_words(home: Home, tmp_path: Path) -> None:
    generator = Echo()
    generator.fault = lambda: None  # type: ignore[assignment]
    with pytest.raises(StackError, match=r"'echo' cannot be sent to another process .* Build with one job"):
        build_stack(generator, *home, tmp_path / "jobs", depth=2, seed=0, jobs=2)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6, 0.98])
def test_a_corrupt_file_is_made_again_and_no_other(home: Home, stack: Stack, share: float) -> None:
    before = contents(stack.path)
    corrupt = case_path(stack.path, stack.ids[1])
    corrupt.write_bytes(corrupt.read_bytes()[: int(share * corrupt.stat().st_size)])
    generator = Echo()
    build_stack(generator, *home, stack.path, depth=4, seed=0)
    assert [case_id for case_id, _, _ in generator.asked] == [stack.ids[1]]
    assert contents(stack.path) == before


def test_topping_up_keeps_the_copies_there_are(home: Home, tmp_path: Path) -> None:
    stack = build_stack(Echo(), *home, tmp_path / "stack", depth=8, seed=0)
    first = {case_id: [stack.copy(case_id, number) for number in range(8)] for case_id in stack.ids}
    generator = Echo()
    deeper = build_stack(generator, *home, tmp_path / "stack", depth=16, seed=0)
    assert deeper.depth == 16
    assert sorted(generator.asked) == [(case_id, 8, 8) for case_id in sorted(stack.ids)]
    for case_id, copies in first.items():
        for number, copy in enumerate(copies):
            np.testing.assert_array_equal(deeper.copy(case_id, number), copy)
    build_stack(Echo(), *home, tmp_path / "at once", depth=16, seed=0)
    assert contents(tmp_path / "stack") == contents(tmp_path / "at once")


def test_a_stack_open_elsewhere_can_be_read_while_it_is_topped_up(home: Home, stack: Stack) -> None:
    before = stack.copy(stack.ids[0], 3)
    build_stack(Echo(), *home, stack.path, depth=9, seed=0)
    np.testing.assert_array_equal(stack.copy(stack.ids[0], 3), before)


def test_a_top_up_that_stops_leaves_the_old_stack_usable(home: Home, stack: Stack) -> None:
    with pytest.raises(StackError, match="copy 6"):
        build_stack(Echo(fault="high", fault_copy=6), *home, stack.path, depth=8, seed=0)
    left = Stack.open(stack.path)
    assert left.depth == 4
    left.check_against(*home)


def test_a_smaller_depth_keeps_all_copies(home: Home, stack: Stack) -> None:
    assert build_stack(Echo(), *home, stack.path, depth=2, seed=0).depth == 4


def test_a_full_disk_keeps_what_was_made(
    home: Home, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Path.write_bytes, []

    def fill_up(self: Path, data: bytes) -> int:
        if len(written) == 3:
            with self.open("wb") as file:
                file.write(data[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(self)
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(StorageError, match=r"case_\d+\.tif: the disk is full"):
        build_stack(Echo(), *home, tmp_path / "full", depth=4, seed=0)
    monkeypatch.undo()
    assert len(list((tmp_path / "full" / "copies").iterdir())) == 3
    generator = Echo()
    build_stack(generator, *home, tmp_path / "full", depth=4, seed=0)
    assert len(generator.asked) == len(stack.ids) - 3
    assert contents(tmp_path / "full") == contents(stack.path)


@pytest.mark.parametrize("kind", ["masks", "images"])
def test_with_a_changed_file_the_stack_is_made_again(
    site: Path, home: Home, stack: Stack, tmp_path: Path, kind: str
) -> None:
    shape = (40, 56, 3) if kind == "images" else (40, 56)
    Image.fromarray(np.full(shape, 255, np.uint8)).save(site / kind / f"{stack.ids[2]}.png")
    dataset, _ = opened(site)
    generator = Echo()
    build_stack(generator, dataset, home[1], stack.path, depth=4, seed=0)
    assert sorted(case_id for case_id, _, _ in generator.asked) == sorted(stack.ids)
    Stack.open(stack.path).check_against(dataset, home[1])
    build_stack(Echo(), dataset, home[1], tmp_path / "fresh", depth=4, seed=0)
    assert contents(tmp_path / "fresh") == contents(stack.path)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nan", r"Generator 'echo' returned values that are not finite in copy 1 of case case_\d+"),
        ("high", r"returned values in \[.*, 1.5\] in copy 1 of case case_\d+, expected \[0, 1\]"),
        ("low", r"returned values in \[-0.25, .*\] in copy 1"),
        (
            "shape",
            r"float32 of shape \(2, 3, 22, 32\) for case case_\d+, expected floats of shape \(2, 3, 23, 32\)",
        ),
    ],
)
def test_a_generator_that_goes_wrong_is_named(home: Home, tmp_path: Path, fault: str, message: str) -> None:
    with pytest.raises(StackError, match=message):
        build_stack(Echo(fault=fault, fault_copy=1), *home, tmp_path / "bad", depth=2, seed=0)
    assert not list((tmp_path / "bad").glob("copies/*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, r"of another recipe: seed was 0, now 1\. Choose another folder"),
        ({"bits": 16}, r"bits was 8, now 16"),
        ({"generator": Echo(noise=0.2)}, r"generator\.config\.noise was 0\.05, now 0\.2\."),
    ],
)
def test_two_recipes_do_not_mix(home: Home, stack: Stack, change: dict, message: str) -> None:
    options = {"generator": Echo(), "seed": 0, **change}
    generator = options.pop("generator")
    with pytest.raises(StackError, match=message):
        build_stack(generator, *home, stack.path, depth=4, **options)


def test_copies_of_another_recipe_are_not_taken_for_ours(home: Home, stack: Stack) -> None:
    manifest_path(stack.path).unlink()
    generator = Echo()
    build_stack(generator, *home, stack.path, depth=4, seed=7)
    assert len(generator.asked) == len(stack.ids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "depth and jobs must be at least 1, got depth 0"),
        ({"depth": 1, "jobs": 0}, "got depth 1 and jobs 0"),
        ({"depth": 1, "bits": 12}, "bits must be 8 or 16, got 12"),
        ({"depth": 1, "compression": "lzma"}, "compression must be .* got 'lzma'"),
    ],
)
def test_options_that_cannot_be_used_are_named(
    home: Home, tmp_path: Path, options: dict, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build_stack(Echo(), *home, tmp_path / "none", seed=0, **options)


def test_a_split_of_other_data_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(SplitError, match="elsewhere"):
        build_stack(
            Echo(), home[0], Split(("elsewhere",), ("case_00",), ()), tmp_path / "none", depth=1, seed=0
        )


def test_progress_counts_to_the_end_also_when_resumed(home: Home, stack: Stack) -> None:
    case_path(stack.path, stack.ids[0]).unlink()
    calls: list[tuple[int, int]] = []
    build_stack(
        Echo(), *home, stack.path, depth=4, seed=0, progress=lambda done, total: calls.append((done, total))
    )
    total = len(stack.ids)
    assert calls == [(total - 1, total), (total, total)]


def test_what_a_killed_builder_left_long_ago_is_removed(home: Home, stack: Stack) -> None:
    old, young = (stack.path / "copies" / name for name in (".1-a.part.tif", ".2-b.part.tif"))
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    build_stack(Echo(), *home, stack.path, depth=4, seed=0)
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("name", ["copies/case_00.tif", "manifest.json", "built.json"])
def test_what_was_altered_in_a_finished_stack_is_made_again_and_no_more(
    home: Home, stack: Stack, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    path = stack.path / name.replace("case_00", home[1].train[0])
    before, content = contents(stack.path), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StackError, match=re.escape(str(path))):
        Stack.open(stack.path).check_against(*home)
    generator = Echo()
    build_stack(generator, *home, stack.path, depth=4, seed=0)
    assert contents(stack.path) == before
    assert len(generator.asked) == name.startswith("copies")
    (line,) = caplog.messages
    assert str(path) in line


def test_a_stack_of_another_recipe_is_not_rebuilt_over_an_altered_manifest(home: Home, stack: Stack) -> None:
    path = manifest_path(stack.path)
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 7'))
    before = contents(stack.path)
    with pytest.raises(StackError, match="seed was 0, now 7"):
        build_stack(Echo(), *home, stack.path, depth=4, seed=7)
    assert contents(stack.path) == before
