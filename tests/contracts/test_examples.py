"""The examples that draw pictures of the docs run."""

from __future__ import annotations

import runpy
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from PIL import Image

from s2s2 import Dataset, split_by_group
from tests.drawn import draw_site
from tests.report.fake import fake_run

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_what_two_arms_find_is_drawn(tmp_path: Path) -> None:
    fake = fake_run(tmp_path, gains={"baseline": 0.0, "s2s2": 0.9})
    draw = runpy.run_path(str(EXAMPLES / "draw_difference.py"))["main"]
    draw(str(fake.folder.root), "away", str(tmp_path / "out.jpg"))
    with Image.open(tmp_path / "out.jpg") as picture:
        width, height = picture.size
    assert width > 4 * 100
    assert height > 3 * 100


def test_gains_are_drawn_against_the_number_of_cases() -> None:
    names = runpy.run_path(str(EXAMPLES / "gain_by_cases.py"))
    rows = [
        {"arm": arm, "cases": cases, "home": "paris", "domain": domain}
        | {"difference": value, "low": value - 0.02, "high": value + 0.03}
        for arm, gain in zip(names["ARM_NAMES"], (0.1, 0.2, 0.3), strict=True)
        for cases in (10, 20)
        for domain, value in (("paris", -0.01), ("oxford", gain))
    ]
    page = ElementTree.fromstring(names["draw"](pd.DataFrame(rows)))
    space = "{http://www.w3.org/2000/svg}"
    assert len(page.findall(f"{space}polyline")) == 2 * 3
    words = [text.text for text in page.findall(f"{space}text")]
    assert {"10", "20", "augmented", "synthetic", "s2s2", "training images"} <= set(words)


def test_a_generator_is_drawn_on_both_demos(tmp_path: Path) -> None:
    draw = runpy.run_path(str(EXAMPLES / "draw_generators.py"))["main"]
    for demo in ("hospitals", "nuclei"):
        draw("boxes", str(tmp_path / f"{demo}.jpg"), demo)
        assert (tmp_path / f"{demo}.jpg").stat().st_size > 1000


def test_test_cases_are_written_in_fixed_styles(tmp_path: Path) -> None:
    data = Dataset.open(draw_site(tmp_path / "site"))
    split = split_by_group(data, fractions=(0.5, 0.25, 0.25))
    split.save(tmp_path / "split.json")
    write = runpy.run_path(str(EXAMPLES / "fixed_styles.py"))["main"]
    write(str(tmp_path / "site"), str(tmp_path / "split.json"), str(tmp_path / "out"))
    grey = Dataset.open(tmp_path / "site", channels=1)
    for name in ("inverted", "side_light"):
        styled = Dataset.open(tmp_path / "out" / name / "cases.csv")
        assert (styled.ids, styled.domain) == (split.test, name)
        for case in styled:
            before = grey.case(case.id)
            assert case.group == before.group
            np.testing.assert_array_equal(styled.mask(case), grey.mask(before))
            if name == "inverted":
                np.testing.assert_allclose(styled.image(case), 1 - grey.image(before), atol=0.003)
            else:
                assert np.corrcoef(styled.image(case).ravel(), grey.image(before).ravel())[0, 1] > 0.5
