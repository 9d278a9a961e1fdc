from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from s2s2.data.classes import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.files import read_image
from s2s2.data.grid import resize_image, resize_mask
from s2s2.data.identity import mask_digest
from s2s2.errors import DataError
from tests.drawn import draw_site


def test_images_and_masks_on_the_working_grid(site: Path) -> None:
    data = Dataset.open(site, size=28)
    case = data[0]
    image, mask = data.image(case), data.mask(case)
    assert image.shape == (3, 20, 28)
    assert (mask.shape, mask.dtype) == ((20, 28), np.uint8)
    assert set(np.unique(mask)) == {0, 1}
    assert np.abs(image - resize_image(read_image(case.image_path), (20, 28))).max() <= 1.5 / 255
    np.testing.assert_array_equal(mask, resize_mask(data.original_mask(case), (20, 28)))
    assert data.original_shape(case) == (40, 56)
    placement = data.placement(case)
    assert (placement.original, placement.working, placement.padded) == ((40, 56), (20, 28), (32, 32))
    assert data.resized(None).placement(case).padded == (64, 64)


def test_a_second_read_gives_the_same_and_does_not_decode(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Dataset.open(site, size=28)
    first = data.image(data[0]), data.mask(data[0])
    monkeypatch.setattr("s2s2.data.dataset.read_joined_raw", None)
    monkeypatch.setattr("s2s2.data.dataset.encoded_mask", None)
    for array in first:
        array.flags.writeable = True
    np.testing.assert_array_equal(data.image(data[0]), first[0])
    np.testing.assert_array_equal(data.mask(data[0]), first[1])
    data.mask(data[0])[:] = 9  # what is handed out is the caller's
    np.testing.assert_array_equal(data.mask(data[0]), first[1])
    data.subset(["case_00"]).image(data[0])
    with pytest.raises(TypeError):
        data.resized(20).image(data[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_channels_are_resampled(tmp_path: Path, channels: int) -> None:
    data = Dataset.open(draw_site(tmp_path / "site", channels=channels), size=28)
    assert data.image(data[0]).shape == (channels, 20, 28)
    assert data.resized(100).image(data[0]).shape == (channels, 71, 100)


def test_nothing_beyond_the_budget_is_kept(site: Path) -> None:
    data = Dataset.open(site, cache_mb=0)
    data.image(data[0])
    assert len(data._cache) == 0


def test_a_data_set_pickles_small(site: Path) -> None:
    data = Dataset.open(site)
    for case in data:
        data.image(case)
    assert len(data._cache) == 12
    content = pickle.dumps(data)
    assert len(content) < 6000
    again = pickle.loads(content)
    assert len(again._cache) == 0
    assert again.ids == data.ids
    np.testing.assert_array_equal(again.image(again[3]), data.image(data[3]))


def test_threads_may_read_at_once(site: Path) -> None:
    data = Dataset.open(site)
    seen: list[float] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(data.image(c).sum() for c in data)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted([float(data.image(case).sum()) for case in data] * 4)


def test_cases_by_id(site: Path) -> None:
    data = Dataset.open(site)
    assert data.case("case_03") is data[3]
    assert data[2:4] == data.cases[2:4]
    with pytest.raises(
        DataError, match=r"no case 'case_3' among the 12 cases of .*site\. Did you mean case_03"
    ):
        data.case("case_3")
    with pytest.raises(DataError, match="no case 'zebra' among"):
        data.subset(["zebra"])
    with pytest.raises(DataError, match="2 cases and 1 ids"):
        data.subset(["case_00", "case_00"])


def test_a_subset_reads_its_own_cases_alone(site: Path) -> None:
    data = Dataset.open(site)
    part = data.subset(["case_05", "case_01"])
    assert part.ids == ("case_05", "case_01")
    part.image(data.case("case_01"))
    for read in (part.image, part.mask, part.original_mask, part.original_shape):
        with pytest.raises(DataError, match="no case 'case_02' among the 2 cases"):
            read(data.case("case_02"))


def test_a_case_of_another_data_set_is_refused(site: Path, tmp_path: Path) -> None:
    other = Dataset.open(draw_site(tmp_path / "other"))
    with pytest.raises(DataError, match="is not of the data set"):
        Dataset.open(site).image(other[0])


def test_grey_and_rgb_mixed_is_rgb(site: Path) -> None:
    path = site / "images" / "case_00.png"
    grey = np.asarray(Image.open(path).convert("L"))
    Image.fromarray(grey).save(path)
    data = Dataset.open(site)
    assert data.channels == 3
    np.testing.assert_allclose(data.image(data[0]), np.stack([grey / 255] * 3), atol=1e-6)
    assert Dataset.open(site, channels=1).image(data[1]).shape == (1, 40, 56)


def test_channels_that_do_not_go_together_are_refused(site: Path) -> None:
    tifffile.imwrite(site / "images" / "case_00.tif", np.zeros((40, 56, 5), np.uint8), planarconfig="contig")
    (site / "images" / "case_00.png").unlink()
    with pytest.raises(DataError, match=r"do not go together: 11 with 3, 1 with 5 channels"):
        Dataset.open(site)


def test_sixteen_bits_stay_sixteen_bits(site: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (40, 56), np.uint16)
    for path in (site / "images").iterdir():
        tifffile.imwrite(path.with_suffix(".tif"), deep)
        path.unlink()
    data = Dataset.open(site)
    np.testing.assert_allclose(data.image(data[0])[0], deep / 65535, atol=1e-7)
    assert len(np.unique(data.resized(28).image(data[0]))) > 256


def test_a_mask_of_another_size_is_refused(site: Path) -> None:
    path = site / "masks" / "case_04.png"
    Image.fromarray(np.zeros((30, 56), np.uint8)).save(path)
    data = Dataset.open(site)
    with pytest.raises(
        DataError, match=r"Case case_04: the mask .*case_04\.png is 30 x 56 pixels .* 40 x 56.*export"
    ):
        data.mask(data.case("case_04"))


def test_a_value_outside_the_class_map_is_refused(site: Path) -> None:
    data = Dataset.open(site, class_map=ClassMap.parse(["background=0", "polyp=1"]))
    with pytest.raises(
        DataError, match=r"case_00\.png holds 1 unknown value: 255 .*Expected the class map background=0"
    ):
        data.mask(data[0])


def test_a_corrupt_file_is_named(site: Path) -> None:
    path = site / "images" / "case_02.png"
    path.write_bytes(path.read_bytes()[:200])
    data = Dataset.open(site)
    data.image(data.case("case_01"))
    with pytest.raises(DataError, match=r"case_02\.png cannot be read"):
        data.image(data.case("case_02"))
    for file in (site / "images").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match=r"None of the images of .* can be read"):
        Dataset.open(site)


def test_a_corrupt_mask_is_named(site: Path) -> None:
    (site / "masks" / "case_02.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"case_02\.png cannot be read"):
        Dataset.open(site)


def test_classes_json_gives_the_class_map(site: Path) -> None:
    named = ClassMap.parse(["background=0", "polyp=255"])
    named.save(site / "classes.json")
    assert Dataset.open(site).class_map == named


def test_without_masks_there_is_no_class_map(site: Path) -> None:
    data = Dataset.open(site / "images", masks=False)
    with pytest.raises(DataError, match="was opened without masks, so it has no class map"):
        _ = data.class_map
    named = ClassMap.parse(["background=0", "polyp=255"])
    assert Dataset.open(site / "images", masks=False, class_map=named).class_map == named
    with pytest.raises(DataError, match="Case case_00 has no mask"):
        data.mask(data[0])


def test_the_digest_tells_masks_apart(site: Path) -> None:
    data = Dataset.open(site, size=28)
    digests = [mask_digest(data, case) for case in data]
    assert len(set(digests)) == 12
    assert digests == [mask_digest(Dataset.open(site, size=28), case) for case in data]
    assert mask_digest(data.resized(20), data[0]) != digests[0]
    path = site / "masks" / "case_00.png"
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    assert mask_digest(Dataset.open(site, size=28), data[0]) != digests[0]


def test_a_size_below_one_is_refused(site: Path) -> None:
    with pytest.raises(DataError, match="size is 0, expected the longer side"):
        Dataset.open(site, size=0)
    assert repr(Dataset.open(site, size=8)).startswith("Dataset(")
