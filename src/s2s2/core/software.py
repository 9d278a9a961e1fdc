"""Versions of the software that an artefact was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

OPENCV = "opencv-python-headless"
"""Makes the pairs of a training and random styles."""


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, of s2s2 and of other packages that are installed.

    Args:
        packages: Their names, in the order that is wanted.

    Example:
        >>> list(versions("numpy", "no-such-package"))
        ['python', 's2s2', 'numpy']
    """
    found = {"python": platform.python_version()}
    for package in ("s2s2", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
