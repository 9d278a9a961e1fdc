from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.errors import ConfigError
from s2s2.pipeline import RunConfig, demo_config
from s2s2.pipeline.demo import demo_folder
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


def test_the_demo_has_its_four_hospitals_and_its_licence(tmp_path: Path) -> None:
    config = demo_config(tmp_path)
    data = open_data(config)
    assert len(data.home) == 200
    assert {name: len(cases) for name, cases in data.away.items()} == {
        "padova": 48,
        "aviano": 48,
        "oxford": 48,
    }
    assert "CC BY 4.0" in config.attributions[0]
    assert "PolypGen" in (demo_folder() / "SOURCE.md").read_text()
