"""The names of the packages: lazy, true, and none that Python would confuse with a module."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import s2s2

ROOT = Path(s2s2.__file__).parent
PACKAGES = sorted(
    ".".join(["s2s2", *path.parent.relative_to(ROOT).parts])
    for path in ROOT.rglob("__init__.py")
    if "exported(__name__)" in path.read_text()
)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_can_be_had_and_is_no_module(package: str) -> None:
    module = import_module(package)
    assert module.__all__ == dir(module)
    for name in module.__all__:
        assert getattr(module, name) is getattr(module, name)
    modules = {path.stem for path in Path(module.__path__[0]).iterdir()}
    assert not modules & set(module.__all__)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"module 's2s2\.data' has no attribute 'Sample'"):
        import_module("s2s2.data").Sample  # noqa: B018


def test_importing_packages_and_settings_loads_no_heavy_library() -> None:
    settings = [
        f"s2s2.{name}.config" for name in ("audit", "networks", "run", "training", "generators.tuning")
    ]
    wanted = [name for name in PACKAGES if name != "s2s2.objective"] + settings
    heavy = ("torch", "pandas", "scipy", "lightning", "monai", "matplotlib", "tensorboard", "diffusers")
    code = f"import sys, {', '.join(wanted)}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
