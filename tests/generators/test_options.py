from __future__ import annotations

import json

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
