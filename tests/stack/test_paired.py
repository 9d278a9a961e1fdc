from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from s2s2.core.streams import stream
from s2s2.data import Dataset, Split
from s2s2.data.transforms.acquisition import Acquisition
from s2s2.data.transforms.config import UNCHANGED, AcquisitionConfig, PhotometricConfig, SLAugConfig
from s2s2.data.transforms.location_scale import global_view, local_view
from s2s2.errors import ConfigError, StackError
from s2s2.stack import PairedDataset, Stack
from tests.stack.made import opened

Home = tuple[Dataset, Split]


@pytest.fixture
def train(home: Home) -> Dataset:
    return home[0].subset(home[1].train)


def everything(train: Dataset, stack: Stack | None, **options: object) -> PairedDataset:
    chosen = {"side": 32, "photometric": PhotometricConfig(), "acquisition": AcquisitionConfig(), **options}
    return PairedDataset(train, stack, **chosen)


def test_a_pair_has_the_documented_form(train: Dataset, stack: Stack) -> None:
    item = everything(train, stack)[2, 5]
    assert set(item) == {"image", "synthetic", "mask", "case", "copy"}
    assert item["image"].shape == item["synthetic"].shape == (3, 32, 32)
    assert item["image"].dtype == item["synthetic"].dtype == torch.float32
    assert item["mask"].shape == (32, 32)
    assert item["mask"].dtype == torch.int64
    assert item["case"] == train.ids[2]
    assert 0 <= item["copy"] < 4


def test_without_a_second_view_there_is_none(train: Dataset) -> None:
    item = everything(train, None, view=None)[0, 0]
    assert set(item) == {"image", "mask", "case", "copy"}
    assert item["copy"] == -1


def test_the_second_view_may_be_the_real_image(train: Dataset) -> None:
    pairs = PairedDataset(train, view="real", side=32)
    item = pairs[0, 3]
    assert torch.equal(item["image"], item["synthetic"])
    changed = everything(train, None, view="real")[0, 3]
    assert not torch.equal(changed["image"], changed["synthetic"])
    assert changed["copy"] == -1


def test_an_index_alone_is_of_epoch_zero(train: Dataset, stack: Stack) -> None:
    pairs = everything(train, stack)
    assert torch.equal(pairs[1]["image"], pairs[1, 0]["image"])
    assert len(pairs) == len(train)


def test_an_index_alone_goes_on_by_itself(train: Dataset, stack: Stack) -> None:
    pairs = everything(train, stack)
    for epoch in range(6):
        item, named = pairs[1], pairs[1, epoch]  # what is named is not counted
        assert item["copy"] == named["copy"]
        assert torch.equal(item["synthetic"], named["synthetic"])
    assert torch.equal(pairs[0]["image"], pairs[0, 0]["image"])  # each case counts for itself


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_workers": 2, "multiprocessing_context": "fork"},
        {"num_workers": 2, "multiprocessing_context": "fork", "persistent_workers": True},
        {"num_workers": 1, "multiprocessing_context": "spawn", "persistent_workers": True},
    ],
    ids=["no workers", "workers", "persistent workers", "spawned worker"],
)
def test_a_plain_loader_shows_every_copy_once_in_depth_passes(
    train: Dataset, stack: Stack, options: dict[str, object]
) -> None:
    pairs = everything(train, stack)
    loader: DataLoader[dict[str, object]] = DataLoader(pairs, batch_size=4, shuffle=True, **options)
    shown: dict[str, list[int]] = {}
    for _ in range(4):
        for batch in loader:
            for case_id, number in zip(batch["case"], batch["copy"].tolist(), strict=True):
                shown.setdefault(case_id, []).append(number)
    expected = {case_id: [pairs.copy_number(case_id, epoch) for epoch in range(4)] for case_id in train.ids}
    assert shown == expected
    assert all(sorted(numbers) == [0, 1, 2, 3] for numbers in shown.values())


def test_a_copy_of_the_pairs_counts_for_itself(train: Dataset, stack: Stack) -> None:
    pairs = everything(train, stack)
    first = pairs[0]["copy"]
    for twin in (copy.deepcopy(pairs), pickle.loads(pickle.dumps(pairs))):
        assert twin[0]["copy"] == pairs.copy_number(train.ids[0], 1) != first
    assert pairs[0]["copy"] == pairs.copy_number(train.ids[0], 1)


def test_integers_of_any_kind_are_indices(train: Dataset, stack: Stack) -> None:
    pairs = everything(train, stack, seed=np.int64(3))
    expected = everything(train, stack, seed=3)[1, 2]
    for place in ((np.int64(1), np.int32(2)), (torch.tensor(1), np.uint8(2)), (-len(train) + 1, 2)):
        assert torch.equal(pairs[place]["synthetic"], expected["synthetic"])
    assert torch.equal(pairs[np.int64(1)]["image"], pairs[1, 0]["image"])
    assert pairs.copy_number(train.ids[1], np.int64(2)) == expected["copy"]
    number = np.argmax([0, 0, 1])
    assert np.array_equal(stack.copy(train.ids[0], number), stack.copy(train.ids[0], 2))


def test_iterating_over_pairs_ends(train: Dataset, stack: Stack) -> None:
    assert [item["case"] for item in everything(train, stack)] == list(train.ids)


def test_padding_stays_black(train: Dataset, stack: Stack) -> None:
    pairs = everything(train, stack, geometry=UNCHANGED)
    for epoch in range(8):
        item = pairs[0, epoch]
        for view in ("image", "synthetic"):
            assert not item[view][:, 23:].any()
            assert item[view][:, :23].any()


def test_views_and_arms_share_the_geometry(train: Dataset, stack: Stack) -> None:
    masks = [everything(train, given, view=view)[1, 4]["mask"] for given, view in
             ((stack, "stack"), (None, "real"), (None, None))]  # fmt: skip
    assert torch.equal(masks[0], masks[1])
    assert torch.equal(masks[0], masks[2])


def test_acquisition_lies_over_the_second_view_alone(train: Dataset, stack: Stack) -> None:
    without, with_it = (everything(train, stack, acquisition=config, photometric=None) for config in
                        (None, AcquisitionConfig(probability=1.0)))  # fmt: skip
    for epoch in range(4):
        assert torch.equal(without[0, epoch]["image"], with_it[0, epoch]["image"])
        assert not torch.equal(without[0, epoch]["synthetic"], with_it[0, epoch]["synthetic"])


def test_acquisition_lies_over_half_of_the_lone_views(train: Dataset) -> None:
    without, with_it = (everything(train, None, view=None, acquisition=config) for config in
                        (None, AcquisitionConfig(probability=1.0)))  # fmt: skip
    places = [(index, epoch) for index in range(len(train)) for epoch in range(20)]
    share = np.mean([not torch.equal(without[place]["image"], with_it[place]["image"]) for place in places])
    assert 0.35 < share < 0.65


def test_a_patch_is_cut_to_its_side(train: Dataset, stack: Stack) -> None:
    item = everything(train, stack, patch=16, geometry=UNCHANGED)[0, 0]
    assert item["image"].shape == (3, 16, 16)
    assert item["image"][:, 0].all()


def test_files_of_their_own_grid_are_paired(site: Path) -> None:
    dataset, split = opened(site)
    pairs = everything(dataset.resized(None).subset(split.train), None, view="real", side=64)
    assert pairs[0]["image"].shape == (3, 64, 64)


def test_another_seed_draws_other_pairs(train: Dataset, stack: Stack) -> None:
    first, other = (everything(train, stack, seed=seed)[0, 0]["image"] for seed in (0, 1))
    assert not torch.equal(first, other)


def test_a_stack_is_needed_for_its_view(train: Dataset) -> None:
    with pytest.raises(StackError, match='view "stack" needs a stack, got None'):
        PairedDataset(train, None, view="stack", side=32)
    with pytest.raises(ConfigError, match="view is 'copies', expected"):
        PairedDataset(train, None, view="copies", side=32)  # type: ignore[arg-type]
    with pytest.raises(StackError, match="there are no copies"):
        PairedDataset(train, None, side=32).copy_number("case_00", 0)


def test_a_stack_of_other_cases_is_refused(home: Home, stack: Stack) -> None:
    with pytest.raises(StackError, match="not training cases"):
        PairedDataset(home[0].subset(home[1].validation), stack, side=32)


def drawn_copies(pairs: PairedDataset, case_id: str, epochs: int) -> list[int]:
    return [pairs.copy_number(case_id, epoch) for epoch in range(epochs)]


def test_without_marks_every_choice_draws_the_same_bytes(train: Dataset, stack: Stack) -> None:
    kept, left, masked = (everything(train, stack, marked=name) for name in ("keep", "leave-out", "mask"))
    for place in ((0, 0), (1, 3), (2, 9)):
        for view in ("image", "synthetic", "mask"):
            assert torch.equal(kept[place][view], left[place][view])
            assert torch.equal(kept[place][view], masked[place][view])
        assert not masked[place]["ignore"].any()
        assert "ignore" not in left[place]


def test_marked_copies_are_left_out_and_the_others_come_once_each(train: Dataset, stack: Stack) -> None:
    first, second = train.ids[:2]
    stack.write_marks({first: {1: ["memorised"], 3: ["unfaithful"]}})
    pairs = everything(train, stack)
    for cycle in range(3):
        epochs = range(2 * cycle, 2 * cycle + 2)
        assert {pairs.copy_number(first, epoch) for epoch in epochs} == {0, 2}
    before = everything(train, stack, marked="keep")
    assert set(drawn_copies(before, first, 4)) == {0, 1, 2, 3}
    assert drawn_copies(pairs, second, 8) == drawn_copies(before, second, 8)


def test_a_case_without_an_unmarked_copy_shows_its_real_image(train: Dataset, stack: Stack) -> None:
    case_id = train.ids[0]
    stack.write_marks({case_id: {number: ["unfaithful"] for number in range(4)}})
    for marked in ("leave-out", "mask"):
        item = PairedDataset(train, stack, side=32, marked=marked)[0, 2]
        assert item["copy"] == -1
        assert torch.equal(item["image"], item["synthetic"])


def test_disputed_pixels_go_through_the_geometry_of_the_mask(train: Dataset, stack: Stack) -> None:
    case_id = train.ids[0]
    case = train.case(case_id)
    stack.write_marks({case_id: {0: ["unfaithful"], 1: ["unfaithful", "memorised"], 2: ["nan"]}})
    stack.write_disagreement(case_id, np.repeat(train.mask(case)[None] == 1, 4, axis=0))
    pairs = everything(train, stack, marked="mask")
    assert set(drawn_copies(pairs, case_id, 8)) == {0, 3}
    for epoch in range(4):
        item = pairs[0, epoch]
        expected = (item["mask"] == 1) if item["copy"] == 0 else torch.zeros(32, 32, dtype=torch.bool)
        assert item["ignore"].dtype == torch.bool
        assert torch.equal(item["ignore"], expected)


def test_an_unknown_choice_for_marked_copies_is_refused(train: Dataset, stack: Stack) -> None:
    with pytest.raises(ConfigError, match='marked is \'drop\', expected "keep", "leave-out" or "mask"'):
        PairedDataset(train, stack, side=32, marked="drop")  # type: ignore[arg-type]


def test_unpaired_shows_the_copy_or_the_real_image_as_the_pair_would(train: Dataset, stack: Stack) -> None:
    pairs, alone = everything(train, stack), everything(train, stack, paired=False)
    copies = 0
    for index in range(len(train)):
        for epoch in range(20):
            pair, item = pairs[index, epoch], alone[index, epoch]
            assert set(item) == {"image", "mask", "case", "copy"}
            assert torch.equal(item["mask"], pair["mask"])
            shown = "synthetic" if item["copy"] >= 0 else "image"
            assert item["copy"] in (-1, pair["copy"])
            assert torch.equal(item["image"], pair[shown])
            copies += item["copy"] >= 0
    assert 0.35 < copies / (20 * len(train)) < 0.65


def test_unpaired_leaves_out_what_a_pair_would_ignore_in_part(train: Dataset, stack: Stack) -> None:
    stack.write_marks({train.ids[0]: {0: ["unfaithful"], 1: ["unfaithful"]}})
    stack.write_disagreement(train.ids[0], np.ones((4, *train.mask(train.cases[0]).shape), bool))
    assert {everything(train, stack, marked="mask")[0, epoch]["copy"] for epoch in range(8)} == {0, 1, 2, 3}
    alone = everything(train, stack, marked="mask", paired=False)
    items = [alone[0, epoch] for epoch in range(40)]
    assert {item["copy"] for item in items} == {-1, 2, 3}
    assert not any("ignore" in item for item in items)


def test_a_real_image_beside_nothing_is_no_second_view(train: Dataset) -> None:
    with pytest.raises(ConfigError, match=r'paired=False is for view "stack"'):
        PairedDataset(train, view="real", paired=False, side=32)


@pytest.mark.parametrize("shown", ["stack", None])
def test_location_scale_views_stand_in_the_place_of_light_and_colour(
    train: Dataset, stack: Stack, shown: str | None
) -> None:
    options = {"view": shown, "acquisition": None}
    settings = SLAugConfig(inverted=1.0)
    without = everything(train, stack, **options, photometric=None)
    lit = everything(train, stack, **options)
    pairs = everything(train, stack, **options, slaug=settings)
    for place in ((0, 0), (2, 1)):
        item, plain = pairs[place], without[place]
        assert set(item) == set(plain) | {"local"}
        rng = stream(0, "location and scale", plain["case"], place[1])
        image, mask = plain["image"].numpy(), plain["mask"].numpy()
        inside = image.any(0)  # nothing in these cases is black but the padding
        assert np.array_equal(item["image"], global_view(image, rng, inside))
        assert np.array_equal(item["local"], local_view(image, mask, rng, settings, inside))
        if shown:
            assert torch.equal(item["synthetic"], lit[place]["synthetic"])


def test_both_location_scale_views_of_a_case_have_the_same_artefacts(train: Dataset) -> None:
    config, drawn = AcquisitionConfig(probability=1.0), set()
    plain, worse = (
        everything(train, None, view=None, acquisition=acquisition, slaug=SLAugConfig())
        for acquisition in (None, config)
    )
    without = everything(train, None, view=None, photometric=None, acquisition=None)
    for place in np.ndindex(len(train), 2):
        before, after, inside = plain[place], worse[place], without[place]["image"].numpy().any(0)
        for name in ("image", "local"):
            rng = stream(0, "acquisition", before["case"], place[1])
            expected = before[name].numpy()
            drawn.add(worsened := bool(rng.random() < 0.5))
            if worsened:
                expected = Acquisition(config, train.size)(expected, rng, inside)
            assert np.array_equal(after[name], expected)
    assert drawn == {True, False}
