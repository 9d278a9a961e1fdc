"""A stack with every tenth copy of a wrong mask and every tenth nearly a training image."""

from __future__ import annotations

import pytest

from s2s2.audit import Audit
from s2s2.stack import PairedDataset, Stack
from tests.audit.made import Home


def share(audit: Audit, home: Home, fault: str, reason: str) -> float:
    table = audit.copies
    planted = [home.faults.get(name, "") == fault for name in zip(table["case"], table["copy"], strict=True)]
    return float(table["marks"][planted].str.contains(reason).mean())


@pytest.mark.parametrize(("fault", "reason"), [("wrong", "unfaithful"), ("memorised", "memorised")])
def test_nine_tenths_of_each_fault_are_found(audited: Audit, planted: Home, fault: str, reason: str) -> None:
    assert share(audited, planted, fault, reason) >= 0.9


@pytest.mark.parametrize("reason", ["unfaithful", "memorised"])
def test_fewer_than_a_tenth_of_the_others_are_marked(audited: Audit, planted: Home, reason: str) -> None:
    assert share(audited, planted, "", reason) < 0.1


def test_a_copy_of_another_training_image_names_it(audited: Audit, planted: Home) -> None:
    table = audited.copies.set_index(["case", "copy"])
    others = [name for name, fault in planted.faults.items() if fault == "memorised" and name[1] % 2 == 0]
    found = table.loc[others]
    assert (found["nearest_distance"] < 0.5 * table["nearest_distance"].median()).all()
    assert (found["nearest_distance"] <= found["distance_own"]).all()


def test_power_tells_what_the_judges_can_find(audited: Audit, planted: Home) -> None:
    found = share(audited, planted, "wrong", "unfaithful")
    assert audited.record["power"] == pytest.approx(found, abs=0.15)


def test_the_stack_knows_the_marks_and_training_leaves_those_copies_out(
    audited: Audit, planted: Home
) -> None:
    stack = Stack.open(planted.stack.path)
    table = audited.copies
    marked = {
        (row.case, row.copy): tuple(row.marks.split(";")) for row in table[table["marks"] != ""].itertuples()
    }
    assert marked == {
        (case_id, number): reasons
        for case_id, copies in stack.marks.items()
        for number, reasons in copies.items()
    }
    assert marked
    pairs = PairedDataset(planted.train, stack, side=64)
    shown = {
        (item["case"], item["copy"])
        for epoch in range(stack.depth)
        for item in (pairs[place, epoch] for place in range(len(pairs)))
    }
    assert not shown & marked.keys()


def test_unfaithful_copies_have_a_map_of_where_they_disagree(audited: Audit, planted: Home) -> None:
    stack = Stack.open(planted.stack.path)
    marked = {
        (case_id, number)
        for case_id, copies in stack.marks.items()
        for number, reasons in copies.items()
        if "unfaithful" in reasons
    }
    for case_id in stack.ids:
        for number in range(stack.depth):
            where = stack.disagreement(case_id, number)
            if (case_id, number) in marked:
                assert where is not None
                assert 0 < where.mean() < 0.5
            else:
                assert where is None or not where.any()


def test_the_record_adds_up(audited: Audit, planted: Home) -> None:
    record, table = audited.record, audited.copies
    assert record["stack"]["copies"] == len(table) == len(planted.split.train) * 10
    assert record["marks"]["copies"] == (table["marks"] != "").sum()
    for reason in ("unfaithful", "memorised"):
        count = int(table["marks"].str.contains(reason).sum())
        assert record["marks"][reason] == record["whole"]["marked"][reason] == count
        assert record["parts"]["redrawn"]["marked"][reason] == count
    assert record["whole"]["near_duplicates"] >= 0.9 * sum(
        fault == "memorised" for fault in planted.faults.values()
    )
    agreement = record["whole"]["agreement"]
    assert agreement["low"] < agreement["mean"] < agreement["high"]
    assert agreement["mean"] == pytest.approx(table["agreement"].mean(), abs=1e-5)
    assert list(audited.cases["kept"]) == [
        10 - len(Stack.open(planted.stack.path).marks.get(case_id, {})) for case_id in planted.split.train
    ]
    assert audited.verdict[0].startswith(("Look at this stack", "Do not train on this stack"))


def test_every_sheet_is_drawn(audited: Audit) -> None:
    assert list(audited.sheets) == [
        "fidelity_best",
        "fidelity_median",
        "fidelity_worst",
        "neighbours",
        "rejected",
    ]
