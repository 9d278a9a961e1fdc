from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from s2s2.errors import ConfigError
from s2s2.generators import AppearanceConfig, BoxesConfig, CompositeConfig
from s2s2.generators.options import from_json, to_json


@pytest.mark.parametrize("kind", [AppearanceConfig, BoxesConfig, CompositeConfig])
def test_options_come_back_from_json(kind: type) -> None:
    config = kind()
    values = to_json(config)
    assert json.loads(json.dumps(values)) == values
    assert from_json(kind, "any", values) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"donor": 3},
            r"composite: there is no option 'donor'\. Did you mean 'donors'\? Options: donors, turn,",
        ),
        ({"donors": 1.5}, "option 'donors' must be a whole number, such as 32, got 1.5"),
        ({"donors": True}, "option 'donors' must be a whole number"),
        ({"turn": 1}, "option 'turn' must be true or false, such as True, got 1"),
        ({"keep": "half"}, "option 'keep' must be a number, such as 0.5, got 'half'"),
        (
            {"scale": [1.0]},
            r"option 'scale' must be a range of 2 numbers, such as \(0.8, 1.25\), got \[1.0\]",
        ),
        ({"scale": "wide"}, "option 'scale' must be a range of 2 numbers"),
    ],
)
def test_bad_options_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(CompositeConfig, "composite", values)


def test_numbers_are_what_the_default_is() -> None:
    config = from_json(AppearanceConfig, "appearance", {"extrapolate": 1, "tissues": 2.0, "strength": [0, 1]})
    assert (config.extrapolate, config.tissues, config.strength) == (1.0, 2, (0.0, 1.0))
    assert [type(value) for value in (config.extrapolate, config.tissues)] == [float, int]


@dataclass(frozen=True)
class Inner:
    steps: int = 3


@dataclass(frozen=True)
class Every:
    base: str
    mode: Literal["a", "b"] = "a"
    most: int | None = None
    share: float | None = 0.5
    widths: tuple[int, ...] = (1, 2)
    on: bool = False
    inner: Inner = field(default_factory=Inner)


def test_options_of_every_kind_are_read() -> None:
    given = {"base": "x", "mode": "b", "most": 3, "share": None, "widths": [4, 5, 6], "inner": {"steps": 9}}
    config = from_json(Every, "every", given)
    assert config == Every("x", "b", 3, None, (4, 5, 6), inner=Inner(9))
    assert from_json(Every, "every", json.loads(json.dumps(to_json(config)))) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, r"every: give the option base, as in every\(base=\.\.\.\)"),
        ({"base": None}, "option 'base' must be a text in quotes, got None"),
        ({"base": "x", "mode": "c"}, "option 'mode' must be one of 'a', 'b', such as a, got 'c'"),
        ({"base": "x", "most": 1.5}, "option 'most' must be a whole number or None, got 1.5"),
        ({"base": "x", "most": float("inf")}, "option 'most' must be a whole number or None, got inf"),
        ({"base": "x", "widths": [1, "b"]}, "option 'widths' must be a list, such as"),
        ({"base": "x", "inner": 3}, r"option 'inner' must be a mapping of options \(steps\), got 3"),
        (
            {"base": "x", "inner": {"step": 3}},
            "every: inner: there is no option 'step'. Did you mean 'steps'",
        ),
    ],
)
def test_bad_options_of_every_kind_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(Every, "every", values)
