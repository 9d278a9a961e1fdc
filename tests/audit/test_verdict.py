from __future__ import annotations

from typing import Any

import pytest

from s2s2.audit.verdict import verdict


def record(marked: int = 0, power: float = 0.9, traits: tuple[str, ...] = ()) -> dict[str, Any]:
    some = {"mean": 0.5, "low": 0.4, "high": 0.6}
    figures = {
        "agreement": some,
        "near_duplicates": 0,
        "diversity": some,
        "dispersion": {"sigma_g": some, "sigma": some, "holds": some},
        "traits": list(traits),
    }
    return {
        "stack": {"copies": 100, "depth": 4},
        "marks": {"copies": marked, "unfaithful": marked, "memorised": 0},
        "power": power,
        "real": {"agreement": some, "distance": some},
        "whole": figures,
        "parts": {"diffusion": figures},
    }


@pytest.mark.parametrize(
    ("marked", "level", "opening"),
    [
        (0, "good", "This stack can be trained on: 0 of 100 copies are marked."),
        (10, "look", "Look at this stack before you train on it"),
        (40, "poor", "Do not train on this stack as it is"),
    ],
)
def test_the_share_of_marked_copies_decides(marked: int, level: str, opening: str) -> None:
    found = verdict(record(marked))
    assert found["level"] == level
    assert found["sentences"][0].startswith(opening)


def test_blind_judges_clear_nobody() -> None:
    found = verdict(record(power=0.2))
    assert found["level"] == "look"
    assert any("would find only 20 %" in sentence for sentence in found["sentences"])
    exact = verdict(record(power=0.2, traits=("exact",)))
    assert exact["level"] == "good"


def test_what_was_not_measured_is_not_spoken_of() -> None:
    content = record()
    nothing = {"mean": None, "low": None, "high": None}
    content["whole"] |= {"diversity": nothing, "dispersion": {"holds": nothing}}
    assert len(verdict(content)["sentences"]) == 3
