"""A generator from outside the package: a subclass of the abstract class, named by its import path."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from s2s2.data import Dataset, Split
from s2s2.errors import ConfigError
from s2s2.generators import Generator, build_generator
from s2s2.stack import build_stack

SOURCE = '''
from dataclasses import dataclass

import numpy as np

from s2s2.generators import Generator


@dataclass
class Options:
    level: float = 0.5


class Grey(Generator):
    """Images of one grey level more for each copy, without what the contract has a default for."""

    name = "grey"
    case_ids = ()

    def __init__(self, level=0.5):
        self.options = Options(level)

    def fit(self, dataset, split):
        self.train, self.case_ids = dataset.subset(split.train), split.train
        return self

    def sample(self, case, depth, seed, *, start=0):
        ramp = self.options.level + np.arange(start, start + depth, dtype=np.float32) / 100
        return np.tile(ramp[:, None, None, None], (1, *self.train.image(case).shape))


class Half(Generator):
    name = "half"


class Duck:
    name, case_ids = "duck", ()
    fit = sample = config = None
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_generators.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "own_generators", None)
    del sys.modules["own_generators"]
    return "own_generators"


@pytest.mark.parametrize("spec", ["{}:Grey(level=0.25)", "{}:Grey(level=0.25):1,boxes:1"])
def test_a_generator_from_outside_the_package_makes_a_stack(
    home: tuple[Dataset, Split], module: str, tmp_path: Path, spec: str
) -> None:
    generator = build_generator(spec.format(module))
    assert isinstance(generator, Generator)
    stack = build_stack(generator, *home, tmp_path / "stack", depth=4, seed=0)
    own = stack.parts[0]
    assert (own["name"], own["config"], own["traits"]) == ("grey", {"level": 0.25}, [])
    for number, copy in enumerate(own["copies"]):
        image = stack.copy(stack.ids[0], copy)
        np.testing.assert_allclose(image, 0.25 + number / 100, atol=1 / 255)


def test_what_is_not_a_subclass_is_refused(module: str) -> None:
    with pytest.raises(ConfigError, match=r"'own_generators:Duck' is no generator: it must be a subclass of"):
        build_generator(f"{module}:Duck")
    with pytest.raises(ConfigError, match=r"cannot be made of \{\}: .* abstract methods? .*fit"):
        build_generator(f"{module}:Half")
