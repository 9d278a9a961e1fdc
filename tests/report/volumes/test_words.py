from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.data.checking.report import CheckReport
from s2s2.data.dataset import Dataset
from s2s2.data.volumes.config import VolumeConfig
from s2s2.report.volumes.words import Nouns, called, counted, nouns_of, own_channels, volume_rows
from tests.drawn import draw_site
from tests.drawn_volumes import draw_volumes


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_volumes(tmp_path_factory.mktemp("words"), 4)


def test_slices_volumes_and_patients_are_counted(root: Path) -> None:
    lone = Dataset.open(root)
    assert nouns_of([lone]) == Nouns("volume", "group")
    assert counted(lone) == "24 slices of 4 volumes"
    known = Dataset.open(root, groups=r"(patient[01]|patient)")
    assert nouns_of([known]) == Nouns("volume", "patient")
    assert counted(known) == "24 slices of 4 volumes of 3 patients"
    assert counted(known, groups=False) == "24 slices of 4 volumes"
    assert counted(known.subset(["patient2_s001", "patient2_s003"])) == "2 slices of 1 volume of 1 patient"


def test_flat_images_stay_cases(root: Path, tmp_path: Path) -> None:
    draw_site(tmp_path / "flat", cases=3)
    flat = Dataset.open(tmp_path / "flat")
    assert counted(flat) == "3"
    assert called(flat, flat[0]) == flat[0].id
    assert nouns_of([flat, Dataset.open(root)]) == nouns_of([]) == Nouns("case", "group")


def test_a_slice_is_called_by_its_volume(root: Path) -> None:
    dataset = Dataset.open(root)
    assert called(dataset, dataset.case("patient2_s003")) == "patient2, slice 4 of 6"


def test_neighbours_are_not_shown(root: Path) -> None:
    alone = Dataset.open(root)
    thick = Dataset.open(root, volumes=VolumeConfig(neighbours=2))
    case = "patient1_s003"
    image = own_channels(thick, thick.image(thick.case(case)))
    np.testing.assert_array_equal(image, alone.image(alone.case(case)))
    assert own_channels(alone, image) is image


def check(volumes: object) -> CheckReport:
    return CheckReport(Path("x"), (), {"volumes": volumes})


def test_what_was_done_to_volumes_comes_from_the_check() -> None:
    said = {
        "count": 3,
        "plane": "axial (3)",
        "spacing": "6 mm",
        "intensities": "clipped",
        "cache": "/home/me",
    }
    (row,) = volume_rows({"a": check(said), "b": None, "c": check(None), "d": check("axial")}, "a")
    assert (row.domain, row.home, row.volumes, row.plane) == ("a", True, "3", "axial (3)")
    assert (row.spacing, row.intensities) == ("6 mm", "clipped")
    assert "/home/me" not in str(row)
