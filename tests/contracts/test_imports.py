"""`import s2s2` is light, and the walls stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.drawn import draw_site

HEAVY = ("lightning", "monai", "matplotlib", "pandas", "tensorboard", "diffusers", "transformers")
VOLUMES = ("nibabel", "pydicom", "highdicom", "SimpleITK", "h5py", "pylibjpeg")


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


def test_flat_images_need_no_library_for_volumes(tmp_path: Path) -> None:
    """The packages of the extra `volumes` are missing, and flat folders are read all the same."""
    site = draw_site(tmp_path / "site", cases=2)
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({VOLUMES!r}))\n"
        "import s2s2\nfrom s2s2.data import Dataset\nfrom s2s2.data.checking.inspection import inspect\n"
        f"print(len(Dataset.open({str(site)!r})), inspect({str(site)!r}).ok)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "True"]


def test_listing_flat_images_loads_no_library_for_volumes(tmp_path: Path) -> None:
    site = draw_site(tmp_path / "site", cases=2)
    code = (
        "import sys, s2s2\nfrom s2s2.data.reading.layouts import discover\n"
        f"discover({str(site)!r})\nprint([name for name in {VOLUMES!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
