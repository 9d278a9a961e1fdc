from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from s2s2.data import classes as module
from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.reading.mask_values import Levels
from s2s2.errors import DataError


def _write(folder: Path, *masks: object, mode: str | None = None) -> list[Path]:
    paths = []
    for index, mask in enumerate(masks):
        path = folder / f"mask_{index}.png"
        Image.fromarray(np.array(mask, np.uint8), mode).save(path)
        paths.append(path)
    return paths


@pytest.mark.parametrize("white", [1, 128, 255])
def test_one_value_besides_zero_makes_two_classes(tmp_path: Path, white: int) -> None:
    classes = ClassMap.infer(_write(tmp_path, [[0, white]], [[0, 0]]))
    assert classes.names == ("background", "foreground")
    assert classes.values == ((0,), tuple(sorted({1, 255, white})))
    for value in {1, 255, white}:
        assert classes.encode(np.array([[0, value]], np.uint8)).tolist() == [[0, 1]]


def test_masks_of_ones_beside_masks_of_255_mean_the_same(tmp_path: Path) -> None:
    assert ClassMap.infer(_write(tmp_path, [[0, 1]], [[0, 255]])).values == ((0,), (1, 255))


def test_one_and_255_in_one_file_are_two_classes(tmp_path: Path) -> None:
    classes = ClassMap.infer(_write(tmp_path, [[0, 1, 255]], [[0, 1, 1]]))
    assert classes.names == ("background", "class_1", "class_255")


def test_several_values_make_several_classes(tmp_path: Path) -> None:
    classes = ClassMap.infer(_write(tmp_path, [[0, 3]], [[0, 1]], [[2, 0]], [[0, 0]]))
    assert classes.names == ("background", "class_1", "class_2", "class_3")
    assert classes.encode(np.array([[3, 0], [1, 2]], np.uint8)).tolist() == [[3, 0], [1, 2]]
    sparse = ClassMap.infer(_write(tmp_path, [[0, 85, 170, 255]]))
    assert sparse.encode(np.array([[255, 0, 170, 85]], np.uint8)).tolist() == [[3, 0, 2, 1]]


def test_colours_make_classes(tmp_path: Path) -> None:
    mask = [[[0, 0, 0], [255, 0, 0]], [[0, 255, 0], [255, 255, 255]]]
    classes = ClassMap.infer(_write(tmp_path, mask, [[[0, 0, 0], [0, 0, 0]]] * 2))
    assert classes.names == ("background", "class_255", "class_00ff00", "class_ff0000")
    assert classes.encode(np.array(mask, np.uint8)).tolist() == [[0, 3], [2, 1]]
    assert classes.encode(np.zeros((2, 2), np.uint8)).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(DataError, match=r"m\.png holds 1 unknown value: #0000ff \(1 px\)"):
        classes.encode(np.array([[[0, 0, 0], [0, 0, 255]]], np.uint8), source="m.png")


def test_sixteen_bit_values_make_classes() -> None:
    raw = np.array([[0, 1000], [65535, 0]], np.uint16)
    classes = ClassMap.from_levels([Levels.count(raw)])
    assert classes.encode(raw).tolist() == [[0, 1], [2, 0]]


def _soft(size: int = 64) -> Image.Image:
    drawn = np.zeros((size, size), np.uint8)
    drawn[size // 4 : size // 2, size // 4 : size // 2] = 255
    return Image.fromarray(drawn).filter(ImageFilter.GaussianBlur(1.0))


def test_blurred_edges_are_cut_at_one_half(tmp_path: Path) -> None:
    _soft().save(tmp_path / "a.png")
    raw = np.asarray(_soft())
    classes = ClassMap.infer([tmp_path / "a.png"])
    assert (classes.names, classes.soft) == (("background", "foreground"), True)
    np.testing.assert_array_equal(classes.encode(raw), raw >= 128)
    assert classes.encode(np.array([[0, 1]], np.uint8)).tolist() == [[0, 1]]


def test_compressed_masks_are_cut_at_one_half(tmp_path: Path) -> None:
    drawn = np.zeros((64, 64), np.uint8)
    drawn[20:40, 10:50] = 255
    Image.fromarray(drawn).save(tmp_path / "a.jpg", quality=90)
    classes = ClassMap.infer([tmp_path / "a.jpg"])
    assert classes.soft
    np.testing.assert_array_equal(classes.encode(np.asarray(Image.open(tmp_path / "a.jpg"))), drawn // 255)


def test_a_crisp_map_reads_soft_masks_of_another_site() -> None:
    raw = np.asarray(_soft())
    crisp = ClassMap.parse(["background=0", "polyp=1,255"])
    np.testing.assert_array_equal(crisp.encode(raw), raw >= 128)


def test_labels_are_not_taken_for_soft_edges() -> None:
    crisp = ClassMap.parse(["background=0", "polyp=1,255"])
    labels = np.zeros((64, 64), np.uint8)
    labels[:4, :4], labels[4:6] = 2, 3
    for classes in (crisp, ClassMap(crisp.names, crisp.values, soft=True)):
        with pytest.raises(DataError, match=r"2 unknown values: 2 \(16 px\), 3 \(128 px\)"):
            classes.encode(labels)
    coded = np.zeros((64, 64), np.uint8)
    coded[0, :10] = np.arange(25, 256, 25)
    coded[1, :] = 250
    assert len(ClassMap.from_levels([Levels.count(coded)])) == 11


def test_unknown_values_are_named_with_file_and_pixels() -> None:
    classes = ClassMap.parse(["background=0", "liver=1", "kidney=2"])
    with pytest.raises(
        DataError, match=r"case_7\.png holds 1 unknown value: 9 \(2 px\).*background=0 liver=1 kidney=2"
    ):
        classes.encode(np.array([[0, 9], [9, 1]], np.uint8), source="case_7.png")


def test_masks_that_cannot_be_classes_are_refused() -> None:
    with pytest.raises(DataError, match="No class can be inferred from 2 masks: all of them are blank"):
        ClassMap.from_levels([Levels.count(np.zeros((4, 4), np.uint8))] * 2)
    instances = np.arange(400, dtype=np.uint16).reshape(20, 20)
    with pytest.raises(
        DataError, match=r"400 values, too many to be classes .at most 64.*numbered instances"
    ):
        ClassMap.from_levels([Levels.count(instances)])


def test_a_map_is_saved_and_loaded(tmp_path: Path) -> None:
    classes = ClassMap.parse(["background=0", "polyp=1,255", "tool=#ff0000,#00ff00"])
    classes.save(tmp_path / "classes.json")
    assert ClassMap.load(tmp_path / "classes.json") == classes
    assert ClassMap.from_dict(classes.to_dict()) == classes
    assert str(classes) == "background=0 polyp=1,255 tool=#ff0000,#00ff00"
    (tmp_path / "bad.json").write_text('{"classes": [{"name": "x"}]}')
    with pytest.raises(DataError, match=r"bad\.json holds no class map"):
        ClassMap.load(tmp_path / "bad.json")


def test_grey_colours_are_grey_levels() -> None:
    assert ClassMap.parse(["background=#000000", "x=#070707"]).values == ((0,), (7,))


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["background=0"], "needs a background and at least one class"),
        (["background=0", "x"], "given as name=value, got 'x'"),
        (["background=0", "=1"], "Put a name before the equals sign"),
        (["background=0", "x=-1"], "grey levels"),
        (["background=0", "x=70000"], "grey levels"),
        (["background=0", "x=0"], "its own name and its own values"),
        (["background=0", "x=1", "x=2"], "its own name and its own values"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(entries: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        ClassMap.parse(entries)


def test_only_two_classes_can_be_soft() -> None:
    with pytest.raises(DataError, match="two classes can be soft, got 3"):
        ClassMap(("background", "a", "b"), ((0,), (1,), (2,)), soft=True)


def test_colours_are_distinct_and_black_is_the_background() -> None:
    names = tuple(f"c{index}" for index in range(20))
    colours = ClassMap(names, tuple((index,) for index in range(20))).colours
    assert colours[0] == (0, 0, 0)
    assert all(sum(abs(a - b) for a, b in zip(*pair, strict=True)) > 20 for pair in combinations(colours, 2))


def test_the_share_of_each_class() -> None:
    classes = ClassMap.parse(["background=0", "a=1", "b=2"])
    share = classes.share(Levels.count(np.array([[0, 0], [1, 0]], np.uint8)))
    assert share is not None
    assert share.tolist() == [0.75, 0.25, 0.0]
    assert classes.share(Levels.count(np.array([[5]], np.uint8))) is None


def test_of_very_many_masks_only_some_are_read(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    read = module.read_levels
    monkeypatch.setattr(module, "_INFERRED_FROM", 5)
    monkeypatch.setattr(module, "read_levels", lambda path: seen.append(path.stem) or read(path))  # type: ignore[func-returns-value]
    assert Dataset.open(site).class_map == ClassMap(("background", "foreground"), ((0,), (1, 255)))
    assert sorted(seen) == ["case_00", "case_03", "case_06", "case_09"]


def test_a_class_map_of_a_million_values_is_refused() -> None:
    with pytest.raises(DataError, match=r"may have 65536 values in all, got 1000001"):
        ClassMap(("background", "polyp"), ((0,), tuple(range(1, 1_000_001))))
