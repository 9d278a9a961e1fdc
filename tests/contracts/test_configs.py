"""Every published setting is one that `s2s2 run` takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.cli import main
from tests.drawn import draw_site

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_published_setting_is_understood(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = draw_site(tmp_path / "home", cases=20)
    words = ["run", "--config", str(config), "--data", str(home), "--output", str(tmp_path / "run")]
    assert main([*words, "--size", "32", "--dry-run"]) == 0
    assert "15 trainings" in capsys.readouterr().out
