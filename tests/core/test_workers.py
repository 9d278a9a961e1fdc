from __future__ import annotations

import os
from pathlib import Path

import pytest

from s2s2.core.progress import Progress
from s2s2.core.workers import side_by_side
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


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_error_is_raised(jobs: int) -> None:
    with pytest.raises(DataError, match="-1 is below 0"):
        side_by_side(square, [1, -1, 2], told(3)[1], jobs=jobs, threads=1)


def test_two_jobs_are_other_processes(tmp_path: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    side_by_side(note, files, told(2)[1], jobs=2, threads=1)
    assert str(os.getpid()) not in {file.read_text() for file in files}
