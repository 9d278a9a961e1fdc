"""`import s2s2` is light, and the walls stand."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("lightning", "monai", "matplotlib", "pandas", "tensorboard", "diffusers", "transformers")


def test_importing_s2s2_loads_no_heavy_library() -> None:
    code = f"import sys, s2s2; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_overview_of_the_command_line_loads_no_torch() -> None:
    code = "import sys\nfrom s2s2.cli import main\nmain(['--help'])\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")


def test_the_method_is_imported_without_anything_but_torch() -> None:
    code = (
        "import sys, s2s2.objective\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'numpy_', 'lightning', 'monai', 'PIL',"
        " 'scipy', 'pandas', 'tifffile'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
