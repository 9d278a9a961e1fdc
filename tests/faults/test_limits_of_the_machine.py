"""Limits on files, disks and shared memory: one paragraph that names the right place and the cure."""

from __future__ import annotations

import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drawn import draw_site
from tests.faults.commands import COMMAND, QUICK, finish, start

pytestmark = [
    pytest.mark.fault("limits of the machine", "refused"),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs limits, /proc and mounts of Linux"),
]
COMMANDS = {
    "split": ["split", "home"],
    "stack": ["stack", "home", "--split", "split.json", "--depth", "2", "--size", "32"],
    "train": ["train", "home", "--split", "split.json", "--arm", "baseline", *QUICK, "--train.steps", "2"],
    "run": ["run", "--data", "home", "--target", "away", "--arms", "baseline", *QUICK, "--train.steps", "2"],
}
FEW_BYTES = {"split": 0, "stack": 1000, "train": 20_000, "run": 20_000}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    draw_site(tmp_path / "home", cases=12, seed=1)
    draw_site(tmp_path / "away", cases=4, seed=2)
    assert finish(["split", "home", "--output", "split.json"], tmp_path)[0] == 0
    return tmp_path


def last_line(said: str) -> str:
    assert "Traceback" not in said
    return said.strip().splitlines()[-1]


@pytest.mark.parametrize("output", ["/proc/out", "/sys/out", "/dev/null/out", "split.json/out"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_where_no_files_go_is_named(place: Path, command: str, output: str) -> None:
    code, said = finish([*COMMANDS[command], "--output", output], place)
    assert code == 2
    assert last_line(said).startswith(f"s2s2: Cannot write {output}")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_limit_on_the_size_of_files_is_named(place: Path, command: str) -> None:
    few = FEW_BYTES[command]
    process = start([*COMMANDS[command], "--output", "out"], place)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (few, few))
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 2
    assert "may not grow that large there. Raise the limit (ulimit -f)" in last_line(said)


def mounted(place: Path, mount: str, words: list[str]) -> tuple[int, str]:
    """Run a command with a small disk mounted in a namespace of its own."""
    probe = ["unshare", "--mount", "true"]
    if os.geteuid() != 0 or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    script = f"{mount} && exec {shlex.join([*COMMAND, *words])}"
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script], cwd=place, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["stack", "train", "run"])
def test_a_full_disk_is_named(place: Path, command: str) -> None:
    (place / "disk").mkdir()
    words = [*COMMANDS[command], "--output", "disk/out", *(["--depth", "99"] if command == "stack" else [])]
    code, said = mounted(place, "mount -t tmpfs -o size=100k tmpfs disk", words)
    assert code == 2
    assert last_line(said).startswith("s2s2: Cannot write disk/out")
    assert "the disk is full. Free some space" in last_line(said)


@pytest.mark.parametrize("size", ["4k", "64k", "1m"])
def test_a_small_shared_memory_is_no_full_disk(place: Path, size: str) -> None:
    words = [*COMMANDS["train"], "--output", "out", "--train.workers", "2", "--size", "256"]
    code, said = mounted(place, f"mount -t tmpfs -o size={size} tmpfs /dev/shm", words)
    assert code == 2
    assert "The shared memory of this machine (/dev/shm) is too small" in last_line(said)
    assert "--train.workers 0" in last_line(said)
