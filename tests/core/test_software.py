from __future__ import annotations

import platform
from importlib.metadata import version

from s2s2.core.software import versions


def test_versions_are_those_installed_and_others_are_left_out() -> None:
    found = versions("numpy", "no-such-package")
    assert found == {
        "python": platform.python_version(),
        "s2s2": version("s2s2"),
        "numpy": version("numpy"),
    }
