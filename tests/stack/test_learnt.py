"""Stacks of generators that learn: their weights, their batches, their shards and their faults."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError, GeneratorError, StackError
from s2s2.generators import Boxes, Chain, Composite, Mixture
from s2s2.stack import Stack, build_stack
from s2s2.stack.store import case_path
from tests.generators.learnt import Learnt
from tests.stack.made import Echo
from tests.stack.test_build import contents, wait_for_files

Home = tuple[Dataset, Split]


def test_weights_lie_beside_the_stack_unless_they_were_placed(home: Home, tmp_path: Path) -> None:
    learnt = Learnt()
    stack = build_stack(learnt, *home, tmp_path / "stack", depth=2, seed=0)
    assert learnt.folder == tmp_path / "stack" / "generator"
    assert stack.manifest["weights"] == learnt.weights != ""
    placed = Learnt()
    placed.place(tmp_path / "tuned")
    build_stack(Chain([placed, Boxes()]), *home, tmp_path / "chain", depth=1, seed=0)
    assert placed.folder == tmp_path / "tuned"
    assert (tmp_path / "tuned" / "weights").exists()
    mixed = Learnt()
    build_stack(Mixture([mixed, Boxes()], [1, 1]), *home, tmp_path / "mixed", depth=1, seed=0)
    assert mixed.folder == tmp_path / "mixed" / "generator" / "learnt"


def test_copies_of_other_weights_do_not_mix(home: Home, tmp_path: Path) -> None:
    stack = build_stack(Learnt(), *home, tmp_path / "stack", depth=2, seed=0)
    again = Learnt(noise=0.3)
    again.place(tmp_path / "tuned")
    again.tune(*home)
    again.noise, before = 0.05, contents(stack.path)
    assert build_stack(again, *home, stack.path, depth=2, seed=0).depth == 2
    with pytest.raises(StackError, match=r'of another recipe: weights was "\w{8}", now "\w{8}"'):
        build_stack(again, *home, stack.path, depth=3, seed=0)
    assert contents(stack.path) == before


def test_a_generator_tuned_on_other_cases_is_refused(home: Home, tmp_path: Path) -> None:
    dataset, split = home
    learnt = Learnt()
    learnt.place(tmp_path / "tuned")
    learnt.tune(dataset, Split(split.train + split.test, split.validation, ()))
    with pytest.raises(StackError, match="was fitted on 2 cases that are not training cases"):
        build_stack(learnt, dataset, split, tmp_path / "stack", depth=1, seed=0)


@pytest.mark.parametrize(
    ("batch", "depth", "together"), [(1, 2, 1), (4, 2, 2), (5, 2, 3), (16, 2, 6), (3, 4, 1)]
)
def test_masks_are_made_together_to_fill_a_batch(
    home: Home, tmp_path: Path, batch: int, depth: int, together: int
) -> None:
    learnt, ids = Learnt(batch=batch), home[1].train
    build_stack(learnt, *home, tmp_path / "stack", depth=depth, seed=0)
    expected = [ids[place : place + together] for place in range(0, len(ids), together)]
    assert sorted(learnt.batches) == sorted((group, 0, depth) for group in expected)


def test_a_lost_file_gets_the_bytes_of_its_batch(home: Home, tmp_path: Path) -> None:
    stack = build_stack(Learnt(batch=8), *home, tmp_path / "stack", depth=2, seed=0)
    before = contents(stack.path)
    case_path(stack.path, stack.ids[1]).unlink()
    learnt = Learnt(batch=8)
    build_stack(learnt, *home, stack.path, depth=2, seed=0)
    assert learnt.batches == [(stack.ids[:4], 0, 2)]
    assert contents(stack.path) == before


def test_topping_up_makes_what_is_missing_together(home: Home, tmp_path: Path) -> None:
    stack = build_stack(Learnt(batch=4), *home, tmp_path / "stack", depth=2, seed=0)
    first = [stack.copy(stack.ids[0], number) for number in range(2)]
    learnt = Learnt(batch=4)
    deeper = build_stack(learnt, *home, stack.path, depth=6, seed=0)
    assert sorted(learnt.batches) == sorted(((case_id,), 2, 4) for case_id in stack.ids)
    np.testing.assert_array_equal([deeper.copy(stack.ids[0], number) for number in range(2)], first)


def test_processes_make_the_bytes_of_one_with_batches(home: Home, tmp_path: Path) -> None:
    tuned = tmp_path / "tuned"
    for name, jobs in (("one", 1), ("two", 2)):
        learnt = Learnt(batch=4)
        learnt.place(tuned)
        build_stack(learnt, *home, tmp_path / name, depth=2, seed=0, jobs=jobs)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


SHARD = """
import sys
from pathlib import Path
from s2s2.stack import build_stack
from tests.generators.learnt import Learnt
from tests.stack.made import opened

class Slow(Learnt):
    def _copy(self, *place):
        import time
        time.sleep(float(sys.argv[5]))
        return super()._copy(*place)

learnt = Slow(batch=3)
learnt.place(Path(sys.argv[2]))
build_stack(learnt, *opened(Path(sys.argv[1])), sys.argv[3], depth=2, seed=0, shard=(int(sys.argv[4]), 2))
"""


def test_shards_may_die_and_the_stack_is_whole_afterwards(site: Path, home: Home, tmp_path: Path) -> None:
    whole = Learnt(batch=3)
    whole.place(tmp_path / "tuned")
    build_stack(whole, *home, tmp_path / "whole", depth=2, seed=0)

    def shard(number: int, pause_s: float) -> subprocess.Popen[bytes]:
        words = [str(site), str(tmp_path / "tuned"), str(tmp_path / "shards"), str(number), str(pause_s)]
        return subprocess.Popen([sys.executable, "-c", SHARD, *words], cwd=Path(__file__).parents[2])

    first, second = shard(1, 0.2), shard(2, 0.0)
    wait_for_files(tmp_path / "shards", 1)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert second.wait(timeout=60) == 0
    with pytest.raises(StackError, match="is missing"):
        Stack.open(tmp_path / "shards").check_against(*home)
    assert shard(1, 0.0).wait(timeout=60) == 0
    for leftover in (tmp_path / "shards" / "copies").glob(".*.part.tif"):
        leftover.unlink()
    assert contents(tmp_path / "shards") == contents(tmp_path / "whole")
    Stack.open(tmp_path / "shards").check_against(*home)


def test_a_stack_is_as_deep_as_its_last_shard(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    build_stack(Echo(), *home, folder, depth=2, seed=0)
    calls: list[tuple[int, int]] = []
    first = build_stack(
        Echo(), *home, folder, depth=4, seed=0, shard=(1, 2), progress=lambda *call: calls.append(call)
    )
    assert first.depth == 2
    assert calls[-1] == (3, 3)
    assert build_stack(Echo(), *home, folder, depth=4, seed=0, shard=(2, 2)).depth == 4


def test_what_is_not_tuned_is_not_sharded(home: Home, tmp_path: Path) -> None:
    for number, generator in enumerate((Learnt(), Mixture([Composite(), Learnt()], [1, 1]))):
        with pytest.raises(GeneratorError, match=r"is not tuned yet, .* Tune it first with `s2s2 tune`"):
            build_stack(generator, *home, tmp_path / str(number), depth=2, seed=0, shard=(1, 3))


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0)])
def test_shards_that_do_not_exist_are_refused(home: Home, tmp_path: Path, shard: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="shard must be a number from 1 on and how many there are"):
        build_stack(Echo(), *home, tmp_path / "stack", depth=2, seed=0, shard=shard)


def test_copies_that_failed_are_stored_and_marked(home: Home, tmp_path: Path) -> None:
    ids = home[1].train
    fails = [f"{ids[0]}/1/nan", f"{ids[2]}/0/black", f"{ids[2]}/3/black"]
    stack = build_stack(Learnt(fails=fails), *home, tmp_path / "stack", depth=2, seed=0)
    assert stack.faults == {ids[0]: {1: ("nan",)}, ids[2]: {0: ("constant",)}}
    assert not stack.copy(ids[0], 1)[..., :4].any()
    assert stack.copy(ids[0], 1)[..., 4:].any()
    deeper = build_stack(Learnt(fails=fails), *home, stack.path, depth=4, seed=0)
    expected = {ids[0]: {1: ("nan",)}, ids[2]: {0: ("constant",), 3: ("constant",)}}
    assert deeper.faults == deeper.marks == expected


def test_a_mixture_marks_the_copies_of_what_is_learnt_alone(home: Home, tmp_path: Path) -> None:
    case_id = home[1].train[0]
    mixture = Mixture([Learnt(fails=[f"{case_id}/0/nan"]), Echo()], [1, 1])
    stack = build_stack(mixture, *home, tmp_path / "learnt", depth=2, seed=0)
    assert stack.faults == {case_id: {0: ("nan",)}}
    mixture = Mixture([Learnt(), Echo(fault="nan")], [1, 1])
    with pytest.raises(StackError, match="not finite in copy 1"):
        build_stack(mixture, *home, tmp_path / "exact", depth=2, seed=0)


def test_values_out_of_range_are_an_error_of_any_generator(home: Home, tmp_path: Path) -> None:
    fails = [f"{home[1].train[0]}/1/high"]
    with pytest.raises(StackError, match=r"Generator 'learnt' returned values in .* expected \[0, 1\]"):
        build_stack(Learnt(fails=fails), *home, tmp_path / "stack", depth=2, seed=0)


def test_the_manifest_says_who_made_which_copy(home: Home, tmp_path: Path) -> None:
    mixture = Mixture([Learnt(), Chain([Composite(), Boxes()])], [1, 3])
    stack = build_stack(mixture, *home, tmp_path / "stack", depth=8, seed=0)
    first, second = stack.parts
    assert stack.manifest["parts"] == stack.parts
    assert (first["name"], first["config"], first["traits"]) == ("learnt", {"noise": 0.05}, [])
    assert (second["name"], second["traits"]) == ("composite+boxes", ["exact"])
    assert (first["copies"], second["copies"]) == ([1, 5], [0, 2, 3, 4, 6, 7])
    alone = build_stack(Echo(), *home, tmp_path / "alone", depth=2, seed=0)
    assert alone.parts == [{"name": "echo", "config": {"noise": 0.05}, "traits": ["exact"], "copies": [0, 1]}]
