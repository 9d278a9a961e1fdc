from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from typing import Any, Literal, get_type_hints

import pytest

from s2s2.errors import ConfigError
from s2s2.generators import AppearanceConfig, BoxesConfig, CompositeConfig, build_generator
from s2s2.generators.catalogue import NAMED
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


def test_an_option_of_a_nested_dataclass_stands_beside_the_others() -> None:
    flat, nested = {"base": "x", "steps": 9}, {"base": "x", "inner": {"steps": 9}}
    assert from_json(Every, "every", flat) == from_json(Every, "every", nested) == Every("x", inner=Inner(9))
    assert to_json(Every("x"))["steps"] == 3
    with pytest.raises(ConfigError, match="option 'steps' must be a whole number, such as 3, got 'many'"):
        from_json(Every, "every", {"base": "x", "steps": "many"})
    with pytest.raises(ConfigError, match=r"Did you mean .steps.\? Options: base, .*, steps\."):
        from_json(Every, "every", {"base": "x", "step": 9})


@pytest.mark.parametrize("name", NAMED)
def test_no_two_options_of_a_generator_share_a_name(name: str) -> None:
    """Else it would not be said which is meant, and one would be lost in a manifest."""
    info = NAMED[name]
    kind = getattr(import_module(f"s2s2.generators.{info.home}"), f"{info.kind}Config")
    names = [field.name for field in fields(kind)]
    for hint in get_type_hints(kind).values():
        names += [field.name for field in fields(hint)] if is_dataclass(hint) else []
    assert len(names) == len(set(names))


DIFFUSION = {
    "accumulate": 1,
    "augment": 0.5,
    "autoencoder_channels": [64, 128, 128],
    "autoencoder_steps": None,
    "batch": 8,
    "blocks": None,
    "channels": None,
    "checkpointing": False,
    "checks": None,
    "devices": 1,
    "ema": 0.999,
    "guidance": 1.5,
    "judged": None,
    "latent_above": 192,
    "latent_channels": 4,
    "learning_rate": None,
    "made_at_once": None,
    "mask_dropout": 0.1,
    "nodes": 1,
    "patience": 0,
    "precision": "auto",
    "preset": "auto",
    "resolution": 48,
    "seed": 0,
    "solver": "euler",
    "solver_steps": 8,
    "steps": 300,
    "workers": -1,
}
CONTROLNET = {
    "accumulate": 1,
    "base": "sd",
    "batch": 16,
    "cache": True,
    "checkpointing": False,
    "checks": 10,
    "clip_norm": 1.0,
    "compile": False,
    "cpu": False,
    "devices": 1,
    "eight_bit": False,
    "ema": 0.999,
    "epochs": 100,
    "flip": False,
    "guidance": None,
    "judged": 32,
    "learning_rate": 1e-05,
    "modality": "A medical image",
    "nodes": 1,
    "patience": 4,
    "precision": "auto",
    "preset": "fast",
    "prompt_dropout": 0.1,
    "resolution": 512,
    "sample_batch": 16,
    "seed": 0,
    "solver": None,
    "steps": 20,
    "warmup": 0.0,
    "weight_decay": 0.01,
    "workers": -1,
}


@pytest.mark.parametrize(
    ("spec", "recorded"),
    [
        ("diffusion(resolution=48,steps=300,batch=8,solver_steps=8)", DIFFUSION),
        ("diffusion(resolution=48,tune={'steps': 300, 'batch': 8},sampling={'solver_steps': 8})", DIFFUSION),
        ("controlnet(base='sd',steps=20)", CONTROLNET),
    ],
)
def test_a_manifest_records_all_options_in_one_mapping(spec: str, recorded: dict[str, Any]) -> None:
    """Bytes of a stack follow from it: an option that is added or moved would make every stack another's."""
    generator = build_generator(spec)
    assert dict(sorted(generator.config().items())) == recorded
    assert build_generator({"name": generator.name, "init_args": recorded}).config() == generator.config()
