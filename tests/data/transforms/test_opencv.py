from __future__ import annotations

import importlib
import os

import numpy as np
import pytest

from s2s2.data.transforms import opencv
from s2s2.data.transforms.affine import PairedGeometry
from s2s2.errors import ResourceError


def test_one_thread() -> None:
    assert opencv.cv2.getNumThreads() == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_makes_the_same_pair() -> None:
    image, mask = (
        np.random.default_rng(0).random((3, 300, 300), dtype=np.float32),
        np.ones((300, 300), np.uint8),
    )

    def made() -> np.ndarray:
        return PairedGeometry(300)(image, image, mask, np.random.default_rng(1)).image

    here, (read, write) = made(), os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, bytes([np.array_equal(made(), here)]))
        os._exit(0)
    assert os.read(read, 1) == b"\x01"
    os.waitpid(child, 0)


def rounded(source: np.ndarray, matrix: np.ndarray, size: tuple[int, int], flags: int) -> np.ndarray:
    """What releases before 5.0 do."""
    return WARP(source, np.round(np.asarray(matrix) * 32) / 32, size, flags=flags)


def mirrored(source: np.ndarray, matrix: np.ndarray, size: tuple[int, int], flags: int) -> np.ndarray:
    """What 4.13 does: the inverse flag counts for images, and not for labels."""
    return WARP(source, matrix, size, flags=opencv.cv2.INTER_NEAREST if flags == opencv.NEAREST else flags)


WARP = opencv.cv2.warpAffine


@pytest.mark.parametrize("warp", [rounded, mirrored])
def test_an_opencv_that_reads_elsewhere_is_refused(warp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencv.cv2, "warpAffine", warp)
    assert not opencv.reads_where_asked()
    with pytest.raises(ResourceError, match=r"does not read images and labels where .* pip uninstall opencv"):
        importlib.reload(opencv)
