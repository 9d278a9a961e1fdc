from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from s2s2.arms import get_arm
from s2s2.errors import ConfigError
from s2s2.generators import build_generator
from s2s2.generators.base import GEOMETRY
from s2s2.networks.config import NetworkConfig
from s2s2.pipeline import RunConfig, StackConfig, load_config, save_config
from s2s2.run.settings import require_known


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("arms", ("baseline", "magic"), "no arm 'magic'"),
        ("arms", (), r"--arms takes one or more different arms, got \[\]"),
        ("seeds", 0, "--seeds is a number of repetitions"),
        ("size", 16, "--size must be at least 32 pixels, got 16"),
        ("jobs", 0, "--jobs must be at least 1, got 0"),
        ("dataset", ("ph2", "ph2"), r"one for each of 0 --target, got 2: ph2, ph2\. Write none where"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(
    field: str, value: Any, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        RunConfig(data=tmp_path, output=tmp_path, **{field: value})


def test_an_empty_stack_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"depth of a stack must be at least 1, got 0"):
        StackConfig(depth=0)


def test_settings_come_back(tmp_path: Path) -> None:
    config = RunConfig(
        data=tmp_path / "home",
        target=(tmp_path / "a", tmp_path / "b"),
        output=tmp_path,
        classes=("polyp=255",),
        dataset=("kvasir-seg", "none", "polypgen/C1"),
    )
    save_config(config)
    assert load_config(tmp_path) == config


def test_settings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("data: 1\nsize: large\n")
    with pytest.raises(ConfigError, match=r"config\.yaml does not hold settings of a run"):
        load_config(tmp_path)


def test_an_option_of_another_version_is_named_with_its_cure(tmp_path: Path) -> None:
    save_config(RunConfig(data=tmp_path / "home", output=tmp_path))
    file = tmp_path / "config.yaml"
    written = file.read_text()
    for changed, name, cure in (
        (f"{written}magic: true\n", "magic", "Delete it"),
        (written.replace("\n  w_syn: ", "\n  w_sym: "), "train.w_sym", "Write train.w_syn "),
    ):
        assert changed != written
        file.write_text(changed)
        with pytest.raises(ConfigError, match=rf"config\.yaml names the option {name}, .* {cure}"):
            load_config(tmp_path)


def test_the_content_of_a_free_option_is_not_looked_at(tmp_path: Path) -> None:
    types = {"data": Path, "network": NetworkConfig, "network.options": dict[str, Any]}
    require_known({"data": "d", "network": {"options": {"any": 1}}}, types, tmp_path)
    require_known("a path", types, tmp_path)


@pytest.mark.parametrize("name", ["target", "arms", "size"])
def test_an_option_without_a_value_is_refused(name: str, tmp_path: Path) -> None:
    save_config(RunConfig(data=tmp_path / "home", output=tmp_path))
    file = tmp_path / "config.yaml"
    file.write_text(
        re.sub(rf"^{name}:.*\n(- .*\n)*", f"{name}: null\n", file.read_text(), flags=re.MULTILINE)
    )
    with pytest.raises(ConfigError, match=rf"config.yaml has {name} = null, expected a value"):
        load_config(tmp_path)


def test_the_defaults_hold_random_styles_exact_masks_and_the_control_of_the_method(tmp_path: Path) -> None:
    config = RunConfig(data=tmp_path / "home", output=tmp_path)
    generator = build_generator(config.stack.generator)
    assert "randconv" in [part.name for part in generator.parts]
    assert generator.exact
    assert not generator.learners
    assert GEOMETRY in generator.traits
    assert "augmented" in get_arm("s2s2").controls
    assert {"baseline", "augmented", "s2s2"} == set(config.arms)


def test_a_nested_option_without_a_value_is_refused(tmp_path: Path) -> None:
    save_config(RunConfig(data=tmp_path / "home", output=tmp_path))
    file = tmp_path / "config.yaml"
    text = file.read_text()
    assert "\n  generator: " in text
    file.write_text(re.sub(r"\n  generator: .*\n", "\n  generator: null\n", text))
    with pytest.raises(ConfigError, match=r"config.yaml has stack\.generator = null, expected a value"):
        load_config(tmp_path)
