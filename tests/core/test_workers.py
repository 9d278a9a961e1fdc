from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from pickle import PicklingError

import pytest

from s2s2.core.progress import Progress
from s2s2.core.workers import finished, is_first, side_by_side
from s2s2.errors import DataError


def square(task: int, progress: Progress) -> tuple[int, str]:
    if task < 0:
        raise DataError(f"{task} is below 0.")
    progress(task, 10, "squared")
    return task**2, os.environ.get("OMP_NUM_THREADS", "")


def note(task: Path, progress: Progress) -> None:
    task.write_text(str(os.getpid()))


def told(count: int) -> tuple[list[list[tuple[int, int, str]]], list[Progress]]:
    """A list for each task, and what writes into it."""
    heard: list[list[tuple[int, int, str]]] = [[] for _ in range(count)]
    return heard, [lambda done, total, words, to=to: to.append((done, total, words)) for to in heard]  # type: ignore[misc]


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_each_task_reports_for_itself(jobs: int) -> None:
    heard, progress = told(3)
    results = side_by_side(square, [3, 1, 2], progress, jobs=jobs, threads=1)
    assert [result for result, _ in results] == [9, 1, 4]
    assert heard == [[(3, 10, "squared")], [(1, 10, "squared")], [(2, 10, "squared")]]


def test_processes_have_their_number_of_threads() -> None:
    results = side_by_side(square, [1, 2], told(2)[1], jobs=2, threads=1)
    assert [threads for _, threads in results] == ["1", "1"]


@pytest.mark.parametrize(
    ("ranks", "first"),
    [
        ({}, True),
        ({"RANK": "0", "LOCAL_RANK": "0"}, True),
        ({"RANK": "4", "LOCAL_RANK": "0"}, False),
        ({"LOCAL_RANK": "1"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, False),
        # A job of a cluster in which Lightning starts the processes.
        ({"LOCAL_RANK": "0", "SLURM_PROCID": "3"}, True),
        ({"SLURM_PROCID": "3"}, False),
    ],
)
def test_the_first_of_processes_that_learn_together_is_known(
    ranks: dict[str, str], first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ranks.items():
        monkeypatch.setenv(name, value)
    assert is_first() == first


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_error_is_raised(jobs: int) -> None:
    with pytest.raises(DataError, match="-1 is below 0"):
        side_by_side(square, [1, -1, 2], told(3)[1], jobs=jobs, threads=1)


def test_two_jobs_are_other_processes(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    side_by_side(note, files, told(2)[1], jobs=2, threads=1)
    assert str(os.getpid()) not in {file.read_text() for file in files}


def twice(task: int) -> int:
    return 2 * task


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_result_comes_with_the_position_of_its_task(jobs: int) -> None:
    assert sorted(finished(twice, [5, 6, 7], jobs=jobs, threads=1)) == [(0, 10), (1, 12), (2, 14)]


def test_work_that_cannot_be_sent_is_a_pickling_error() -> None:
    with pytest.raises(PicklingError):
        list(finished(lambda task: task, [1, 2], jobs=2, threads=1))


PARENT = """
import sys
from pathlib import Path
from s2s2.core.workers import finished, side_by_side
from tests.core.test_workers import linger

folders = [Path(sys.argv[1]) / name for name in ("a", "b")]
if __name__ == "__main__":
    if sys.argv[2] == "finished":
        list(finished(linger, folders, jobs=2, threads=1))
    else:
        side_by_side(linger, folders, [lambda *_: None] * 2, jobs=2, threads=1)
"""


def linger(folder: Path, progress: Progress | None = None) -> None:
    folder.with_suffix(".part").write_text(str(os.getpid()))
    folder.with_suffix(".part").rename(folder)
    time.sleep(60)


@pytest.mark.parametrize("way", ["finished", "side_by_side"])
def test_processes_end_with_a_parent_that_is_killed(tmp_path: Path, way: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    root = Path(__file__).parents[2]
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(root)])}
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path), way], cwd=root, env=settings)
    files, patience = [tmp_path / "a", tmp_path / "b"], time.monotonic() + 60
    while not all(file.exists() for file in files):
        assert parent.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.05)
    workers = [int(file.read_text()) for file in files]
    parent.kill()
    parent.wait()
    while any(map(alive, workers)):
        assert time.monotonic() < patience
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


INTERRUPTED = """
import os, signal, sys

if "--multiprocessing-fork" in sys.orig_argv:
    os.kill(os.getpid(), signal.SIGINT)

def double(number):
    return 2 * number
"""
STARTER = """
import signal
from s2s2.core.workers import finished
from interrupted import double

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have been started to ignore Ctrl-C
    print(sorted(finished(double, [1, 2], jobs=2, threads=1)))
"""


def test_ctrl_c_does_not_interrupt_a_process_that_loads_its_modules(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(INTERRUPTED)
    (tmp_path / "starter.py").write_text(STARTER)
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(tmp_path)])}
    said = subprocess.run(
        [sys.executable, str(tmp_path / "starter.py")], env=settings, capture_output=True, text=True
    )
    assert (said.stdout, said.stderr) == ("[(0, 2), (1, 4)]\n", "")
