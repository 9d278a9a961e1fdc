from __future__ import annotations

from pathlib import Path

import pytest

from s2s2.core.apart import require_apart
from s2s2.errors import ConfigError


@pytest.mark.parametrize(
    ("output", "relation"),
    [
        ("in", "is"),
        ("in/out", "lies in"),
        (".", "holds"),
        ("link", "is"),
        ("link/out", "lies in"),
        ("x/../in", "is"),
    ],
)
def test_an_output_that_is_not_apart_is_refused(tmp_path: Path, output: str, relation: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(ConfigError, match=rf"{relation} .*in, .*Nothing was written. Give another --output"):
        require_apart(tmp_path / output, [tmp_path / "in"])


def test_an_input_that_is_a_link_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="lies in"):
        require_apart(tmp_path / "real" / "out", [tmp_path / "link"])


def test_neighbours_and_files_beside_are_welcome(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "split.json").write_text("{}")
    require_apart(
        tmp_path / "out", [tmp_path / "output", tmp_path / "in"], beside=[tmp_path / "out" / "split.json"]
    )
    with pytest.raises(ConfigError, match=r"is .*split\.json"):
        require_apart(tmp_path / "out" / "split.json", [], beside=[tmp_path / "out" / "split.json"])
