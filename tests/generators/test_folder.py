from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from s2s2.data import Dataset, Split
from s2s2.data.grid import resize_image
from s2s2.errors import ConfigError, GeneratorError, SplitError, StackError
from s2s2.generators import build_generator
from s2s2.stack import build_stack
from tests.generators.made import drawn, split_of


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return drawn(tmp_path / "site", cases=10)


@pytest.fixture
def split(dataset: Dataset) -> Split:
    return split_of(dataset, held_out=4)


def made(folder: Path, ids: tuple[str, ...], *, shape: tuple[int, int] = (40, 56), name: str = "{}_{}.png",
         numbers: tuple[int, ...] = (0, 1, 2)) -> None:  # fmt: skip
    for case_id in ids:
        for number in numbers:
            path = folder / name.format(case_id, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(hash((case_id, number)) % 2**32).integers(0, 255, (*shape, 3))
            pixels[0, 0] = number
            Image.fromarray(pixels.astype(np.uint8)).save(path)


def test_images_are_read_onto_the_working_grid(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    made(tmp_path / "made", split.train)
    generator = build_generator(f"folder(path='{tmp_path}/made')").fit(dataset, split)
    case = dataset.case(split.train[1])
    copies = generator.sample(case, 2, 7, start=1)
    assert copies.dtype == np.float32
    for row, number in enumerate((1, 2)):
        pixels = np.asarray(Image.open(tmp_path / "made" / f"{case.id}_{number}.png")) / np.float32(255)
        expected = resize_image(pixels.transpose(2, 0, 1), dataset.mask(case).shape)
        np.testing.assert_allclose(copies[row], expected, atol=1e-6)
    assert generator.case_ids == split.train
    assert generator.sample(case, 0, 0).shape == (0, *dataset.image(case).shape)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(generator)).sample(case, 2, 0, start=1), copies)


def test_numbers_begin_anywhere_and_count_as_numbers(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    made(tmp_path / "made", split.train, name="{}/seed{:03d}.png", numbers=(2, 10, 101))
    spec = f"folder(path='{tmp_path}/made', pattern='{{case}}/seed{{copy}}.png')"
    copies = build_generator(spec).fit(dataset.resized(None), split).sample(dataset.cases[0], 3, 0)
    np.testing.assert_allclose(copies[:, 0, 0, 0] * 255, [2, 10, 101], atol=1e-4)


def test_other_sizes_of_the_same_ratio_are_resized(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    made(tmp_path / "made", split.train, shape=(91, 128))
    generator = build_generator(f"folder(path='{tmp_path}/made')").fit(dataset, split)
    assert generator.sample(dataset.cases[0], 3, 0).shape == (3, *dataset.image(dataset.cases[0]).shape)


def test_files_that_do_not_fit_are_named(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    folder, first = tmp_path / "made", split.train[0]
    generator = build_generator({"name": "folder", "init_args": {"path": str(folder)}})
    with pytest.raises(GeneratorError, match="there is no folder"):
        generator.fit(dataset, split)
    made(folder, split.train[1:])
    with pytest.raises(
        GeneratorError, match=rf"1 of 6 training cases have no image in .*: {first}\. Make them"
    ):
        generator.fit(dataset, split)
    made(folder, (first,), shape=(64, 64))
    with pytest.raises(
        GeneratorError, match=rf"{first}_0.png cannot show case {first}: it is 64 x 64 .* the case 40 x 56"
    ):
        generator.fit(dataset, split)
    made(folder, (first,))
    (folder / f"{first}_1.png").write_bytes(b"corrupt")
    with pytest.raises(GeneratorError, match=rf"{first}_1.png cannot show case {first}: .*cannot be read"):
        generator.fit(dataset, split)
    tifffile.imwrite(folder / f"{first}_1.png", np.zeros((5, 40, 56), np.uint8), photometric="minisblack",
                     planarconfig="separate")  # fmt: skip
    with pytest.raises(GeneratorError, match="it has 5 channels, the case 3"):
        generator.fit(dataset, split)


def test_a_stack_deeper_than_the_folder_names_case_and_counts(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    made(tmp_path / "made", split.train)
    spec = f"folder(path='{tmp_path}/made')"
    stack = build_stack(build_generator(spec), dataset, split, tmp_path / "stack", depth=2, seed=0)
    assert stack.manifest["parts"][0]["traits"] == []
    with pytest.raises(GeneratorError, match=r"holds 3 images of case case_\d, asked for 4"):
        build_stack(build_generator(spec), dataset, split, tmp_path / "stack", depth=4, seed=0)
    assert build_stack(build_generator(spec), dataset, split, tmp_path / "stack", depth=3, seed=0).depth == 3


def test_a_folder_made_from_a_held_out_case_is_refused(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    made(tmp_path / "made", split.train)
    other = Split(train=split.train + split.test, validation=split.validation, test=())
    other.save(tmp_path / "other.json")
    (tmp_path / "ids.txt").write_text("\n".join(split.train + split.test) + "\n")
    for source in ("other.json", "ids.txt"):
        generator = build_generator(f"folder(path='{tmp_path}/made', source='{tmp_path}/{source}')")
        with pytest.raises(StackError, match="was fitted on 2 cases that are not training cases"):
            build_stack(generator, dataset, split, tmp_path / source, depth=2, seed=0)
    generator = build_generator(f"folder(path='{tmp_path}/made', source='{tmp_path}/none.txt')")
    with pytest.raises(GeneratorError, match=r"source .* cannot be read"):
        generator.fit(dataset, split)


def test_only_training_cases_are_shown(dataset: Dataset, split: Split, tmp_path: Path) -> None:
    made(tmp_path / "made", dataset.ids)
    generator = build_generator(f"folder(path='{tmp_path}/made')")
    with pytest.raises(ConfigError, match="was not fitted"):
        generator.sample(dataset.cases[0], 1, 0)
    with pytest.raises(SplitError, match="Copies are made of training cases alone"):
        generator.fit(dataset, split).sample(dataset.case(split.test[0]), 1, 0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("folder", "path must name the folder"),
        ("folder(path='a', pattern='{case}.png')", "{case} and {copy} once each"),
        ("folder(path='a', pattern='{case}{copy}.png')", "with something between them"),
        ("folder(path=3)", "option 'path' must be a text in quotes, got 3"),
    ],
)
def test_options_that_cannot_be_used_are_named(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_generator(spec)
