"""Naming and describing a generator loads no library that only another one needs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("diffusers", "transformers", "lightning", "monai", "accelerate", "peft")


def test_generators_that_learn_are_loaded_when_built() -> None:
    code = (
        "import sys, s2s2.stack, s2s2.generators as g\n"
        "g.describe_generators(); g.build_generator('composite+appearance:1,boxes:2')\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
