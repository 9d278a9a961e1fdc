from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data.checking.inspection import inspect
from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.files import read_mask_raw
from s2s2.data.reading.mask_sets import describe, infer_reading
from s2s2.data.reading.mask_values import Levels, read_levels
from s2s2.errors import DataError
from tests.drawn import draw_site

Colour = tuple[int, int, int]
BLACK, WHITE, RED, GREEN = (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0)


def _ids(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def _palette(path: Path, ids: np.ndarray, colours: list[Colour]) -> None:
    image = Image.fromarray(ids, "L").convert("P")
    image.putpalette([part for colour in colours for part in colour])
    image.save(path)


def _rewritten(root: Path, write: Callable[[Path, np.ndarray, int], None], classes: int = 3) -> Path:
    site = draw_site(root, cases=6, classes=classes, foreground=1)
    for number, path in enumerate(sorted((site / "masks").iterdir())):
        write(path, _ids(path), number)
    return site


@pytest.mark.parametrize(
    ("colours", "kept"),
    [([BLACK, WHITE, RED], 1), ([(128,) * 3, RED, GREEN], 0)],
    ids=["white", "grey ground"],
)
def test_files_that_use_only_greys_of_a_palette_are_indices_too(
    tmp_path: Path, colours: list[Colour], kept: int
) -> None:
    def write(path: Path, ids: np.ndarray, number: int) -> None:
        used = np.where(ids > kept, 0, ids).astype(np.uint8) if number % 2 else ids
        _palette(path, used, colours if not number % 2 else colours[: kept + 1])

    site = _rewritten(tmp_path / "site", write)
    data = Dataset.open(site)
    assert data.class_map == ClassMap(
        ("background", "class_1", "class_2"), ((0,), (1,), (2,)), palettes="indices"
    )
    assert [set(np.unique(data.mask(case))) <= {0, 1, 2} for case in data] == [True] * 6
    assert inspect(site).summary["mask_reading"].startswith("6 as palette indices: 0 background, 1 class_1")


def test_palettes_of_an_own_order_are_read_as_colours_when_these_are_named(tmp_path: Path) -> None:
    drawn: dict[str, np.ndarray] = {}

    def write(path: Path, ids: np.ndarray, number: int) -> None:
        drawn[path.stem] = ids
        turn = np.array([0, 2, 1] if number % 2 else [0, 1, 2], np.uint8)
        _palette(path, turn[ids], [BLACK, RED, GREEN] if not number % 2 else [BLACK, GREEN, RED])

    site = _rewritten(tmp_path / "site", write)
    with pytest.raises(
        DataError, match=r"3 indices stand for 3 colours.*'class_1=#00ff00' 'class_2=#ff0000'`, or the"
    ):
        Dataset.open(site)
    data = Dataset.open(site, class_map=ClassMap.parse(["background=0", "a=#ff0000", "b=#00ff00"]))
    for case in data:
        np.testing.assert_array_equal(data.mask(case), drawn[case.id])


def test_palettes_beside_colours_are_colours(tmp_path: Path) -> None:
    colours = np.array([BLACK, RED, GREEN], np.uint8)

    def write(path: Path, ids: np.ndarray, number: int) -> None:
        if number % 2:
            _palette(path, ids, [BLACK, RED, GREEN])
        else:
            Image.fromarray(colours[ids]).save(path)

    classes = Dataset.open(_rewritten(tmp_path / "site", write)).class_map
    assert (classes.values, classes.palettes) == (((0,), ((0, 255, 0),), ((255, 0, 0),)), "colours")


def test_the_reading_of_palettes_is_saved(tmp_path: Path) -> None:
    classes = ClassMap(("background", "a"), ((0,), (1,)), palettes="indices")
    classes.save(tmp_path / "classes.json")
    assert ClassMap.load(tmp_path / "classes.json") == classes
    with pytest.raises(DataError, match="holds no class map"):
        ClassMap.from_dict({**classes.to_dict(), "palettes": "both"})
    _palette(tmp_path / "a.png", np.array([[0, 1]], np.uint8), [WHITE, BLACK])
    assert read_mask_raw(tmp_path / "a.png", "indices").tolist() == [[0, 1]]
    assert read_mask_raw(tmp_path / "a.png", "colours").tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (Levels({0: 9, 1: 2, 2: 2}), Levels({0: 9, 255: 1}, bits=1), r"1 bit \(255\).*8 bits \(1, 2\)"),
        (Levels({0: 9, 255: 2}), Levels({0: 9, 65535: 1}, bits=16), r"16 bits \(65535\)"),
        (Levels({0: 9, 7: 2}), Levels({0: 9, (255, 0, 0): 1}), r"colours \(#ff0000\)"),
        (
            Levels({0: 9, 85: 2, 170: 2}),
            Levels({0: 9, 1: 1, 2: 1}, {0: 0, 1: (255, 0, 0), 2: (0, 255, 0)}),
            r"palette indices \(1, 2\)",
        ),
    ],
    ids=["one bit", "16 bits", "colours", "palette"],
)
def test_a_set_that_mixes_readings_is_refused(first: Levels, second: Levels, words: str) -> None:
    with pytest.raises(DataError, match=rf"mix readings: .*{words}"):
        infer_reading([first, second])
    with pytest.raises(DataError, match="`--classes background=0 "):
        infer_reading([first, second])


def test_readings_that_agree_are_one() -> None:
    binary = infer_reading([Levels({0: 9, 255: 1}, bits=1), Levels({0: 9, 1: 1}), Levels({0: 9}, bits=16)])
    assert binary.values == ((0,), (1, 255))
    deep = infer_reading([Levels({0: 9, 1: 1}, bits=16), Levels({0: 9, 2: 1})])
    assert len(deep.values) == 3
    assert describe([Levels({0: 9}, alpha=True)], None) == "1 as grey levels of 8 bits with alpha dropped"


def test_masks_drawn_in_alpha_are_named() -> None:
    with pytest.raises(DataError, match=r"blank\. They have an alpha channel, which is dropped"):
        infer_reading([Levels({0: 9}, alpha=True)])


@pytest.mark.parametrize(
    ("white", "quality"), [(255, 100), (255, 90), (255, 75), (200, 100), (200, 90), (127, 100), (127, 90)]
)
def test_two_levels_of_jpeg_are_found(tmp_path: Path, white: int, quality: int) -> None:
    drawn: dict[str, np.ndarray] = {}

    def write(path: Path, ids: np.ndarray, number: int) -> None:
        drawn[path.stem] = ids
        path.unlink()
        Image.fromarray(ids * np.uint8(white)).save(path.with_suffix(".jpg"), quality=quality)

    site = _rewritten(tmp_path / "site", write, classes=2)
    data = Dataset.open(site)
    assert data.class_map.names == ("background", "foreground")
    assert "6 as grey levels of 8 bits of a JPEG" in inspect(site).summary["mask_reading"]
    for case in data:
        assert (data.mask(case) != drawn[case.id]).mean() < 0.005


def test_several_levels_of_jpeg_take_what_lies_nearest(tmp_path: Path) -> None:
    drawn: dict[str, np.ndarray] = {}

    def write(path: Path, ids: np.ndarray, number: int) -> None:
        drawn[path.stem] = ids
        path.unlink()
        Image.fromarray(ids * np.uint8(85)).save(path.with_suffix(".jpg"), quality=95)

    data = Dataset.open(_rewritten(tmp_path / "site", write, classes=4))
    assert data.class_map.names == ("background", "class_85", "class_170", "class_255")
    assert str(data.class_map) == "background=0-42 class_85=43-127 class_170=128-212 class_255=213-255"
    assert ClassMap.parse(str(data.class_map).split()) == data.class_map
    for case in data:
        assert (data.mask(case) != drawn[case.id]).mean() < 0.005


@pytest.mark.parametrize("classes", [2, 4])
def test_small_ids_in_jpeg_are_refused(tmp_path: Path, classes: int) -> None:
    def write(path: Path, ids: np.ndarray, number: int) -> None:
        path.unlink()
        Image.fromarray(ids).save(path.with_suffix(".jpg"), quality=75)

    site = _rewritten(tmp_path / "site", write, classes=classes)
    with pytest.raises(DataError, match=r"saved as JPEG.*`--classes background=0-127 polyp=128-255`"):
        Dataset.open(site)


def test_jpeg_beside_masks_of_ones_on_another_scale_is_refused(tmp_path: Path) -> None:
    def write(path: Path, ids: np.ndarray, number: int) -> None:
        if number % 2:
            path.unlink()
            Image.fromarray(ids * np.uint8(200)).save(path.with_suffix(".jpg"), quality=90)

    site = _rewritten(tmp_path / "site", write, classes=2)
    with pytest.raises(DataError, match=r"mix readings: JPEG with the levels 0, 200.*with 1"):
        Dataset.open(site)


def test_an_edge_of_one_beside_white_is_no_foreground(tmp_path: Path) -> None:
    classes = ClassMap(("background", "polyp"), ((0,), (1, 255)), soft=True)
    raw = np.array([[0, 1, 255]], np.uint8)
    assert classes.encode(raw).tolist() == [[0, 0, 1]]
    shares = classes.share(Levels.count(raw))
    assert shares is not None
    assert shares.tolist() == pytest.approx([2 / 3, 1 / 3])
    assert classes.encode(np.array([[0, 1]], np.uint8)).tolist() == [[0, 1]]


def test_how_a_file_stores_its_values_is_kept(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.jpg")
    assert read_levels(tmp_path / "a.jpg").lossy
    Image.fromarray(np.eye(8) > 0).save(tmp_path / "b.png")
    assert read_levels(tmp_path / "b.png").bits == 1
    Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(tmp_path / "c.png")
    assert read_levels(tmp_path / "c.png").alpha


def test_an_instance_map_among_soft_masks_is_not_cut_at_one_half() -> None:
    soft = Levels({0: 900, 60: 5, 127: 5, 190: 5, 255: 100}, between="edges")
    assert infer_reading([soft, Levels({0: 900, 255: 100})]).soft
    numbered = Levels({0: 900, **dict.fromkeys(range(1, 100), 2)}, between="regions")
    with pytest.raises(DataError, match=r"too many to be classes"):
        infer_reading([soft, numbered])


def test_several_whites_are_asked_about() -> None:
    with pytest.raises(
        DataError, match=r"several whites \(254, 255\).*`--classes background=0 foreground=254,255`"
    ):
        infer_reading([Levels({0: 9, 255: 1}), Levels({0: 9, 254: 1})])
    assert infer_reading([Levels({0: 9, 254: 1})]).names == ("background", "foreground")


def test_a_palette_whose_black_is_not_its_first_colour_is_asked_about() -> None:
    with pytest.raises(DataError, match=r"index 1 as black.*colours with .*#ff0000.*indices with"):
        infer_reading([Levels({0: 9, 1: 30}, {0: RED, 1: 0})])
    assert infer_reading([Levels({0: 9, 1: 30}, {0: 0, 1: RED})]).palettes == "indices"
