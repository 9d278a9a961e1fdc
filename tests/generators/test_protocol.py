"""What every generator promises, whatever the images are."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError, SplitError
from s2s2.generators import Generator, Restyler, build_generator
from tests.drawn import draw_site
from tests.generators.made import SPECS, drawn, split_of

KINDS = {
    "rgb": {},
    "grey": {"channels": 1},
    "five channels": {"channels": 5, "classes": 4},
    "16 bit": {"channels": 2, "bits": 16, "classes": 3},
}


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("kind", KINDS)
def test_copies_are_images_of_the_working_grid(spec: str, kind: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path, **KINDS[kind])  # type: ignore[arg-type]
    generator = build_generator(spec).fit(dataset, split_of(dataset))
    assert isinstance(generator, Generator)
    assert generator.case_ids == dataset.ids
    for case in (dataset.cases[0], dataset.cases[3], dataset.cases[-1]):
        copies = generator.sample(case, 2, 0)
        assert copies.shape == (2, *dataset.image(case).shape)
        assert copies.dtype == np.float32
        assert 0 <= copies.min() <= copies.max() <= 1
        assert np.isfinite(copies).all()


@pytest.mark.parametrize("spec", SPECS)
def test_a_copy_depends_on_its_seed_case_and_number_alone(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    split = split_of(dataset)
    generator = build_generator(spec).fit(dataset, split)
    case, other = dataset.cases[2], dataset.cases[4]
    whole = generator.sample(case, 6, 7)
    generator.sample(other, 3, 7)
    np.testing.assert_array_equal(generator.sample(case, 2, 7, start=3), whole[3:5])
    np.testing.assert_array_equal(generator.sample(case, 1, 7), whole[:1])
    assert (generator.sample(case, 6, 8) != whole).any()
    again = pickle.loads(pickle.dumps(generator))
    np.testing.assert_array_equal(again.sample(case, 6, 7), whole)
    np.testing.assert_array_equal(build_generator(spec).fit(dataset, split).sample(case, 6, 7), whole)
    assert generator.sample(case, 0, 7).shape == (0, *whole.shape[1:])


@pytest.mark.parametrize("spec", SPECS)
def test_sampling_changes_nothing_of_the_data(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    before = [dataset.image(case).tobytes() + dataset.mask(case).tobytes() for case in dataset.cases]
    generator = build_generator(spec).fit(dataset, split_of(dataset))
    first = generator.sample(dataset.cases[0], 2, 0).copy()
    generator.sample(dataset.cases[0], 2, 1)[:] = 0
    assert [dataset.image(case).tobytes() + dataset.mask(case).tobytes() for case in dataset.cases] == before
    np.testing.assert_array_equal(generator.sample(dataset.cases[0], 2, 0), first)


@pytest.mark.parametrize("spec", ["appearance(extrapolate=0.5)", "boxes"])
def test_restyling_leaves_its_input_alone(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = build_generator(spec).fit(dataset, split_of(dataset))
    assert isinstance(generator, Restyler)
    case = dataset.cases[-1]
    image = dataset.image(case)
    kept = image.copy()
    styled = [generator.restyle(image, dataset.mask(case), np.random.default_rng(i), case) for i in range(4)]
    np.testing.assert_array_equal(image, kept)
    assert all(new.shape == image.shape for new in styled)
    assert any((new != image).any() for new in styled)


@pytest.mark.parametrize("spec", SPECS)
def test_images_that_show_nothing_do_no_harm(spec: str, tmp_path: Path) -> None:
    root = draw_site(tmp_path, cases=6, shape=(24, 32))
    for name, value in (("case_00", 0), ("case_02", 255), ("case_03", 128)):
        Image.fromarray(np.full((24, 32, 3), value, np.uint8)).save(root / "images" / f"{name}.png")
    dataset = Dataset.open(root)
    generator = build_generator(spec).fit(dataset, split_of(dataset))
    for case in dataset.cases:
        assert np.isfinite(generator.sample(case, 3, 0)).all()


@pytest.mark.parametrize("spec", SPECS)
def test_an_unfitted_generator_says_so(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    with pytest.raises(ConfigError, match=r"was not fitted\. Call fit\(dataset, split\) first"):
        build_generator(spec).sample(dataset.cases[0], 1, 0)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec not in ("boxes", "randconv")])
def test_one_group_alone_is_refused_where_donors_are_needed(spec: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    with pytest.raises(SplitError, match="two groups or more"):
        build_generator(spec).fit(dataset, Split(train=dataset.ids[:2], validation=(), test=()))


WORKER = """
import hashlib, pickle, sys
generator, case = pickle.load(open(sys.argv[1], "rb"))
print(hashlib.sha256(generator.sample(case, 3, 0).tobytes()).hexdigest())
"""


def test_the_bytes_do_not_depend_on_the_process_or_its_threads(tmp_path: Path) -> None:
    dataset = drawn(tmp_path / "site", shape=(120, 160), size=160)
    generator = build_generator("composite+appearance").fit(dataset, split_of(dataset))
    here = hashlib.sha256(generator.sample(dataset.cases[0], 3, 0).tobytes()).hexdigest()
    packed = tmp_path / "generator.pickle"
    packed.write_bytes(pickle.dumps((generator, dataset.cases[0])))
    threads = "2" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"  # other than here
    settings = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-c", WORKER, str(packed)]
    there = subprocess.run(command, env=settings, capture_output=True, text=True, check=True).stdout.strip()
    assert there == here
