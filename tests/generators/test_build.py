from __future__ import annotations

import json
import sys

import pytest

from s2s2.errors import ConfigError
from s2s2.generators import (
    Appearance,
    AppearanceConfig,
    Boxes,
    Chain,
    Composite,
    Mixture,
    build_generator,
    describe_generators,
)
from s2s2.run.config import StackConfig
from tests.stack.made import Echo


@pytest.mark.parametrize(
    ("spec", "kind"), [("appearance", Appearance), (" composite ", Composite), ("boxes", Boxes)]
)
def test_a_name_builds_its_generator_with_defaults(spec: str, kind: type) -> None:
    generator = build_generator(spec)
    assert type(generator) is kind
    assert generator.config() == kind().config()
    assert generator.case_ids == ()


def test_options_are_read() -> None:
    generator = build_generator("appearance(extrapolate=0.3, strength=(0, 1e+0))")
    assert generator.config() == Appearance(AppearanceConfig(extrapolate=0.3, strength=(0.0, 1.0))).config()


def test_an_appearance_on_top_of_another_generator_extrapolates() -> None:
    generator = build_generator("composite+appearance+boxes")
    assert isinstance(generator, Chain)
    appearance = generator.config()["parts"][1]
    assert appearance["name"] == "appearance"
    assert appearance["init_args"]["extrapolate"] == 0.5
    calm = build_generator("composite+appearance(extrapolate=0)")
    assert calm.config()["parts"][1]["init_args"]["extrapolate"] == 0
    assert build_generator("appearance").config()["extrapolate"] == 0


def test_a_mixture_is_read_with_its_shares() -> None:
    mixture = build_generator("composite+appearance+boxes:4, tests.stack.made:Echo(noise=0.1)+boxes:12")
    assert isinstance(mixture, Mixture)
    assert mixture.name == "composite+appearance+boxes:4,echo+boxes:12"
    assert mixture.config()["shares"] == [4, 12]
    assert build_generator("appearance,composite").name == "appearance:1,composite:1"
    assert isinstance(build_generator("appearance:8"), Appearance)
    assert build_generator("tests.stack.made:Echo:3,boxes").name == "echo:3,boxes:1"


def test_brackets_and_quotes_keep_their_signs() -> None:
    generator = build_generator("folder(path='a+b, (c):8', pattern=\"{case}+{copy}, .png\")+boxes:2,boxes")
    assert generator.name == "folder+boxes:2,boxes:1"
    folder = generator.config()["parts"][0]["init_args"]["parts"][0]
    assert folder["init_args"] == {"path": "a+b, (c):8", "pattern": "{case}+{copy}, .png", "source": ""}


@pytest.mark.parametrize(
    "spec",
    [
        "composite(keep=0.4)",
        "composite+appearance+boxes",
        StackConfig().generator,
        "appearance:3,composite+boxes:5",
        "folder(path='made')+appearance:3,boxes",
    ],
)
def test_a_generator_is_rebuilt_from_what_it_says_of_itself(spec: str) -> None:
    generator = build_generator(spec)
    said = json.loads(json.dumps({"name": generator.name, "init_args": generator.config()}))
    again = build_generator(said)
    assert (again.name, again.config()) == (generator.name, generator.config())


def test_an_import_path_builds_any_generator() -> None:
    said = {"name": "tests.stack.made:Echo", "init_args": {"noise": 0.2}}
    generator = build_generator(said, trust=("tests.stack.made:Echo",))
    assert isinstance(generator, Echo)
    assert generator.config() == {"noise": 0.2}
    assert build_generator("tests.stack.made:Echo(noise=0.1)+boxes").name == "echo+boxes"


def test_a_mapping_imports_only_what_is_trusted() -> None:
    said = {"name": "composite+x", "init_args": {"parts": [{"name": "boxes"}, {"name": "antigravity:fly"}]}}
    with pytest.raises(
        ConfigError, match=r"names the import path 'antigravity:fly'.*--trust antigravity:fly"
    ):
        build_generator(said)
    assert "antigravity" not in sys.modules
    with pytest.raises(ConfigError, match=r"'fractions:Fraction' is no generator"):
        build_generator({"name": "fractions:Fraction"}, trust=("fractions:Fraction",))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "compositee",
            r"there is no 'compositee'\. Did you mean 'composite'\? Names: appearance, randconv, composite",
        ),
        ("unheard", r"there is no 'unheard'\. Names: .* import path 'package.module:Class'"),
        ("composite:0,boxes", r"got shares \[0, 1\] for 2 parts"),
        ("composite:4,,boxes", r"'' is neither a name nor a name with options"),
        ("composite:x,boxes", r"'composite:x' cannot be imported"),
        ("composite+", r"'' is neither a name nor a name with options"),
        ("composite(3)", r"'composite\(3\)' is neither a name nor a name with options"),
        ("composite(keep=open('x'))", "is neither a name nor a name with options"),
        ("composite(kept=1)", "there is no option 'kept'. Did you mean 'keep'"),
        ("no.such:Class", "'no.such:Class' cannot be imported: No module named 'no'"),
        ("tests.stack.made:Ecko", "cannot be imported: .* no attribute 'Ecko'"),
        ("tests.stack.made:Echo(loud=1)", r"cannot be made of {'loud': 1}: .*unexpected keyword"),
        (
            "pathlib:Path",
            "is no generator: it must be a subclass of s2s2.generators.Generator",
        ),
        ({"init_args": {}}, r"must have the keys 'name' and, if need be, 'init_args', got \['init_args'\]"),
        ({"name": "boxes", "config": {}}, r"got \['name', 'config'\]"),
    ],
)
def test_what_cannot_be_built_is_explained(spec: str | dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_generator(spec)


def test_every_generator_is_described_in_one_sentence() -> None:
    described = describe_generators()
    assert list(described) == [
        "appearance",
        "randconv",
        "composite",
        "boxes",
        "diffusion",
        "controlnet",
        "folder",
    ]
    for info in described.values():
        assert 20 < len(str(info)) < 110
        assert info.needs
        assert info.gives
        assert info.when
