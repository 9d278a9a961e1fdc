from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.errors import ConfigError
from s2s2.pipeline import RunConfig
from s2s2.pipeline.demo import HOSPITALS, NUCLEI
from s2s2.run.data import open_data
from tests.drawn import draw_site


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
