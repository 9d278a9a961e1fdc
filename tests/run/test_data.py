from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.data.classes import ClassMap
from s2s2.errors import ConfigError
from s2s2.pipeline import RunConfig
from s2s2.pipeline.demo import HOSPITALS, NUCLEI
from s2s2.run.data import open_data
from tests.drawn import draw_site
from tests.nnunet_sets import describe, draw_pictures
from tests.public_sets import draw_polyps, draw_public


def test_home_lends_class_map_and_channels_to_the_targets(tmp_path: Path) -> None:
    home = draw_site(tmp_path / "home", cases=4)
    away = draw_site(tmp_path / "away", cases=4, seed=1, foreground=1)
    data = open_data(RunConfig(data=home, target=(away,), output=tmp_path / "run"))
    assert data.away["away"].class_map == data.home.class_map
    assert data.away["away"].mask(data.away["away"][0]).max() == 1


def test_two_sites_of_one_name_are_refused(tmp_path: Path) -> None:
    home, away = draw_site(tmp_path / "a" / "site", cases=4), draw_site(tmp_path / "b" / "site", cases=4)
    with pytest.raises(ConfigError, match=r"Two data sets are called 'site'.*rename one"):
        open_data(RunConfig(data=home, target=(away,), output=tmp_path / "run"))


def test_the_demo_of_nuclei_has_its_three_kinds_of_image_and_its_licence(tmp_path: Path) -> None:
    config = NUCLEI.config(tmp_path)
    data = open_data(config)
    assert len(data.home) == 84 == sum(config.split.counts or ())
    assert {name: len(cases) for name, cases in data.away.items()} == {"stained": 54, "brightfield": 8}
    assert "CC0" in config.attributions[0]
    assert "BBBC038" in (NUCLEI.folder / "SOURCE.md").read_text()
    megabytes = sum(path.stat().st_size for path in NUCLEI.folder.rglob("*.*")) / 2**20
    assert megabytes < 2.5


def test_the_demo_of_hospitals_has_its_four_sites_and_its_licence(tmp_path: Path) -> None:
    config = HOSPITALS.config(tmp_path)
    data = open_data(config)
    assert len(data.home) == 200
    assert {name: len(cases) for name, cases in data.away.items()} == {
        "padova": 48,
        "aviano": 48,
        "oxford": 48,
    }
    assert "CC BY 4.0" in config.attributions[0]
    assert "PolypGen" in (HOSPITALS.folder / "SOURCE.md").read_text()


def test_public_data_sets_are_opened_each_by_its_description(tmp_path: Path) -> None:
    draw_polyps(tmp_path)
    config = RunConfig(
        data=tmp_path / "Kvasir-SEG",
        target=(tmp_path / "CVC-ClinicDB", tmp_path / "PolypGen"),
        dataset=("kvasir-seg", "cvc-clinicdb", "polypgen/C2+C3"),
        output=tmp_path / "run",
    )
    data = open_data(config)
    assert data.home.domain == "kvasir-seg"
    assert {name: len(cases) for name, cases in data.away.items()} == {"cvc-clinicdb": 18, "C2": 2, "C3": 2}
    assert all(cases.class_map.names == data.home.class_map.names for cases in data.away.values())


def test_one_name_is_for_all_and_none_is_for_a_folder_of_ones_own(tmp_path: Path) -> None:
    draw_polyps(tmp_path)
    own = draw_site(tmp_path / "own", cases=4)
    polypgen = tmp_path / "PolypGen"
    config = RunConfig(data=polypgen, target=(polypgen,), dataset=("polypgen",), output=tmp_path / "run")
    assert (config.dataset_of(0), config.dataset_of(1)) == ("polypgen", "polypgen")
    config = RunConfig(data=polypgen, target=(own,), dataset=("polypgen/C1", "none"), output=tmp_path / "run")
    data = open_data(config)
    assert {name: len(cases) for name, cases in data.away.items()} == {"own": 4}
    assert data.away["own"].class_map == data.home.class_map


def test_a_public_target_of_other_classes_is_refused(tmp_path: Path) -> None:
    draw_polyps(tmp_path)
    draw_public(tmp_path / "drive", "drive")
    config = RunConfig(
        data=tmp_path / "Kvasir-SEG",
        target=(tmp_path / "drive",),
        dataset=("kvasir-seg", "drive"),
        output=tmp_path / "run",
    )
    with pytest.raises(ConfigError, match=r"drive has the classes background, vessel, and home .* polyp"):
        open_data(config)


def test_a_target_keeps_its_own_values_for_the_same_classes(tmp_path: Path) -> None:
    draw_polyps(tmp_path)
    own = draw_site(tmp_path / "own", cases=4, foreground=1)
    ClassMap(("background", "polyp"), ((0,), (1,))).save(own / "classes.json")
    config = RunConfig(
        data=own, target=(tmp_path / "Kvasir-SEG",), dataset=("none", "kvasir-seg"), output=tmp_path / "run"
    )
    data = open_data(config)
    away = data.away["kvasir-seg"]
    assert away.class_map.values[1] == tuple(range(128, 256))
    assert away.original_mask(away[0]).max() == 1


def test_a_target_of_nnunet_numbers_the_same_classes_in_its_own_order(tmp_path: Path) -> None:
    home, away = (
        draw_pictures(tmp_path / "Dataset001_Home"),
        draw_pictures(tmp_path / "Dataset002_Away", seed=1),
    )
    describe(home, "RGB", ".png", labels={"background": 0, "RV": 1, "LV": 2})
    describe(away, "RGB", ".png", labels={"background": 0, "LV": 1, "RV": 2})
    data = open_data(RunConfig(data=home, target=(away,), output=tmp_path / "run"))
    target = data.away["Dataset002_Away"]
    assert target.class_map.names == data.home.class_map.names == ("background", "RV", "LV")
    assert set(np.unique(target.mask(target[0]))) == {0, 2}  # the value 1 is LV there
    given = RunConfig(
        data=home, target=(away,), output=tmp_path / "run", classes=("background=0", "RV=1", "LV=2")
    )
    target = open_data(given).away["Dataset002_Away"]
    assert set(np.unique(target.mask(target[0]))) == {0, 1}
