from __future__ import annotations

import json

import pytest

from s2s2.cli import main
from s2s2.networks import BUILT_IN, NetworkConfig, taps


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "220")


def test_all_are_listed_with_size_weights_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "--timed", "0"]) == 0
    out = capsys.readouterr().out
    for each in BUILT_IN.values():
        assert each.name in out
        assert each.licence in out
    assert "not measured" in out


def test_one_is_timed_and_described_with_its_taps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "efficientnet-lite0-unet", "--timed", "32"]) == 0
    out = capsys.readouterr().out
    for text in ("encoder.stages.4", "decoder.blocks.3", " ms", "they come with a package"):
        assert text in out


def test_json_holds_every_fact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks", "--timed", "0", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(BUILT_IN)
    for row in rows:
        assert (tuple(row["encoder_taps"]), tuple(row["decoder_taps"])) == taps(NetworkConfig(row["name"]))
        assert row["parameters"] > 1e6


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["magic"], "There is no network named 'magic'"), (["--timed", "50"], "multiple of 32")],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["networks", *arguments]) == 2
    assert says in capsys.readouterr().err
