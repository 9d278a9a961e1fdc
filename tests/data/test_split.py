from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data.dataset import Dataset
from s2s2.data.foreground import absent_classes
from s2s2.data.identity import copies
from s2s2.data.reading.manifest import PARTS
from s2s2.data.split import Split, split_by_group
from s2s2.errors import SplitError
from tests.drawn import draw_site


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    """Forty cases of twenty groups."""
    return Dataset.open(draw_site(tmp_path / "many", cases=40, shape=(16, 24)), size=16)


def test_shares_are_met_and_nothing_is_lost(data: Dataset) -> None:
    split = split_by_group(data)
    assert (len(split.train), len(split.validation), len(split.test)) == (28, 4, 8)
    assert sorted(split.train + split.validation + split.test) == sorted(data.ids)
    split.check(data)


def test_counts_are_met_and_the_rest_is_left_out(data: Dataset) -> None:
    split = split_by_group(data, counts=(10, 6, 8))
    assert (len(split.train), len(split.validation), len(split.test)) == (10, 6, 8)


def test_the_same_seed_gives_the_same_split_in_any_order(data: Dataset) -> None:
    split = split_by_group(data, seed=3)
    assert split == split_by_group(data, seed=3)
    assert split.seed == 3
    shuffled = split_by_group(data.subset(reversed(data.ids)), seed=3)
    for part in ("train", "validation", "test"):
        assert sorted(getattr(shuffled, part)) == sorted(getattr(split, part))
    assert split.test != split_by_group(data, seed=4).test


def test_parts_are_alike_in_foreground(tmp_path: Path) -> None:
    root = draw_site(tmp_path / "sizes", cases=60, shape=(20, 20), frames_per_group=1)
    for index, path in enumerate(sorted((root / "masks").iterdir())):
        mask = np.zeros((20, 20), np.uint8)
        mask.flat[: 1 + 6 * index] = 255
        Image.fromarray(mask).save(path)
    data = Dataset.open(root)
    share = {case.id: (data.mask(case) > 0).mean() for case in data}
    far = []
    for seed in range(10):
        split = split_by_group(data, fractions=(0.6, 0.2, 0.2), seed=seed)
        means = [np.mean([share[i] for i in part]) for part in (split.train, split.validation, split.test)]
        far.append(max(means) - min(means))
    # 36 + 12 + 12 cases drawn at random differ by 0.12 on average.
    assert np.mean(far) < 0.04


def test_cases_without_masks_are_split_too(data: Dataset) -> None:
    images = Dataset.open(data.root, masks=False)
    assert len(split_by_group(images).train) == 28


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fractions": (0.5, 0.1, 0.1)}, r"fractions is \(0\.5, 0\.1, 0\.1\), expected three shares"),
        ({"fractions": (1.2, -0.1, -0.1)}, "expected three shares"),
        ({"counts": (30, 10, 10)}, "expected three numbers that add up to 40 cases at most"),
        ({"counts": (30, 0, 10)}, "The validation part of the split is empty"),
        ({"counts": (0, 10, 10)}, "The train part of the split is empty"),
    ],
)
def test_shares_that_cannot_be_used_are_refused(
    data: Dataset, options: dict[str, object], words: str
) -> None:
    with pytest.raises(SplitError, match=words):
        split_by_group(data, **options)  # type: ignore[arg-type]


def test_every_part_gets_a_group_if_there_are_enough(tmp_path: Path) -> None:
    data = Dataset.open(draw_site(tmp_path / "three", cases=12, frames_per_group=4, shape=(16, 16)))
    split = split_by_group(data)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [4, 4, 4]
    assert len(split_by_group(data.subset(data.ids[:9])).validation) in (1, 4)
    with pytest.raises(
        SplitError, match=r"has 2 groups and a split needs 3, one a part at least\. Add patients"
    ):
        split_by_group(data.subset(data.ids[:8]))


def test_a_split_is_saved_and_loaded(data: Dataset, tmp_path: Path) -> None:
    split = split_by_group(data, seed=5)
    split.save(tmp_path / "split.json")
    assert Split.load(tmp_path / "split.json") == split
    (tmp_path / "bad.json").write_text('{"train": ["a"], "validation": "b", "test": []}')
    with pytest.raises(SplitError, match=r"bad\.json holds no split.*expected a list of case ids"):
        Split.load(tmp_path / "bad.json")
    (tmp_path / "bad.json").write_text('{"train": ["a"]}')
    with pytest.raises(SplitError, match="Expected lists of case ids named train, validation, test"):
        Split.load(tmp_path / "bad.json")
    with pytest.raises(SplitError, match="There is no file"):
        Split.load(tmp_path / "none.json")


def test_a_split_that_does_not_fit_the_data_is_refused(data: Dataset) -> None:
    with pytest.raises(
        SplitError, match=r"names 1 case that .*many does not have: zebra\. It was made for other data"
    ):
        Split(("case_00", "zebra"), ("case_02",), ()).check(data)
    with pytest.raises(
        SplitError, match="The validation part of the split is empty, expected at least one case"
    ):
        Split(("case_00",), (), ("case_02",)).training(data)
    with pytest.raises(SplitError, match="The train part of the split is empty"):
        Split((), ("case_00",), ("case_02",)).check(data)
    with pytest.raises(SplitError, match=r"The test part of the split of .*many is empty"):
        Split(("case_00",), ("case_02",), ()).testing(data)


def test_the_declared_split_of_a_manifest(data: Dataset) -> None:
    rows = [
        f"images/case_{i:02d}.png,masks/case_{i:02d}.png,{part}"
        for i, part in enumerate(["train", "train", "validation", "test", ""])
    ]
    path = data.root / "cases.csv"
    path.write_text("\n".join(["image,mask,split", *rows]))
    split = Split.declared(Dataset.open(path))
    assert split == Split(("case_00", "case_01"), ("case_02",), ("case_03",))
    with pytest.raises(SplitError, match=r"declares no split\. Give a CSV manifest with a column split"):
        Split.declared(data)


def _marked(root: Path, positive: set[int]) -> Dataset:
    for index, path in enumerate(sorted((root / "masks").iterdir())):
        if index not in positive:
            Image.fromarray(np.zeros((16, 16), np.uint8)).save(path)
    return Dataset.open(root)


def test_a_rare_foreground_is_spread_over_all_parts(tmp_path: Path) -> None:
    data = _marked(draw_site(tmp_path / "rare", cases=20, shape=(16, 16), frames_per_group=1), {1, 2, 3, 4})
    sizes = set()
    for seed in range(20):
        split = split_by_group(data, seed=seed)
        sizes.add(tuple(len(getattr(split, part)) for part in ("train", "validation", "test")))
        for part in ("train", "validation", "test"):
            assert any((data.mask(data.case(i)) > 0).any() for i in getattr(split, part)), (seed, part)
    assert sizes == {(14, 2, 4)}


def test_too_little_foreground_is_refused(tmp_path: Path) -> None:
    data = _marked(draw_site(tmp_path / "rarer", cases=20, shape=(16, 16), frames_per_group=1), {1, 2})
    with pytest.raises(SplitError, match=r"None of the \d+ \w+ cases of .*rarer has any foreground"):
        split_by_group(data)
    images = Dataset.open(data.root, masks=False)
    assert len(split_by_group(images).train) == 14


@pytest.mark.parametrize("copy", [shutil.copy, os.link, os.symlink])
def test_copies_of_an_image_are_kept_in_one_part(
    tmp_path: Path, copy: Callable[[Path, Path], object]
) -> None:
    root = draw_site(tmp_path / "copies", cases=12, shape=(16, 16), frames_per_group=1)
    (root / "groups.csv").unlink()
    for one, other in ((0, 5), (5, 9)):
        (root / "images" / f"case_{other:02d}.png").unlink()
        copy(root / "images" / f"case_{one:02d}.png", root / "images" / f"case_{other:02d}.png")
    data = Dataset.open(root)
    assert copies(data) == [("case_00", "case_05", "case_09")]
    for seed in range(10):
        split = split_by_group(data, seed=seed)
        parts = [set(getattr(split, part)) & {"case_00", "case_05", "case_09"} for part in PARTS]
        assert sorted(map(len, parts)) == [0, 0, 3]
    with pytest.raises(SplitError, match=r"several parts of the split: case_00 \(train\), case_05 \(test\)"):
        Split(("case_00", "case_01"), ("case_02",), ("case_05",)).training(data)


def test_classes_that_a_part_lacks_are_named(tmp_path: Path) -> None:
    root = draw_site(tmp_path / "three", cases=6, shape=(16, 16), classes=3)
    Image.fromarray(np.eye(16, dtype=np.uint8)).save(root / "masks" / "case_00.png")
    data = Dataset.open(root)
    assert absent_classes(data, "train") == []
    assert absent_classes(data.subset(["case_00"]), "validation") == [
        "No validation case holds the class class_2: it is not heeded in the choice of a checkpoint."
    ]
