from __future__ import annotations

import importlib
import os

import numpy as np
import pytest

from s2s2.data.transforms import opencv
from s2s2.data.transforms.acquisition import Acquisition, blur, lose_resolution
from s2s2.data.transforms.affine import PairedGeometry
from s2s2.data.transforms.config import AcquisitionConfig, PhotometricConfig
from s2s2.data.transforms.photometric import photometric
from s2s2.data.transforms.stress import stressed
from s2s2.data.transforms.styles import random_convolution
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


MAKERS = {
    "affine": lambda image: PairedGeometry(50)(image, image, np.ones((40, 50), np.uint8), drawn()).image,
    "blur": lambda image: blur(image, 1.5),
    "lost resolution": lambda image: lose_resolution(image, 2.0),
    "artefacts": lambda image: Acquisition(AcquisitionConfig(probability=1.0))(image, drawn()),
    "light": lambda image: photometric(image, drawn(), PhotometricConfig()),
    "colour": lambda image: photometric(image[:3], drawn(), PhotometricConfig()),
    "random convolution": lambda image: random_convolution(image, drawn()),
    "stress": lambda image: stressed(image, drawn()),
}
LAYOUTS = {
    "channels last": lambda image: np.ascontiguousarray(image.transpose(1, 2, 0)).transpose(2, 0, 1),
    "mirrored": lambda image: image[:, :, ::-1].copy()[:, :, ::-1],
    "part": lambda image: np.pad(image, 3)[3:-3, 3:-3, 3:-3],
    "double precision": lambda image: image.astype(np.float64),
}


@pytest.mark.parametrize("made", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_type_and_layout_of_an_image_make_no_difference(made, layout) -> None:
    image = np.random.default_rng(0).random((5, 40, 50), dtype=np.float32)
    # A step of 8 bit, since JPEG may round one pixel the other way.
    np.testing.assert_allclose(
        made(layout(image)), made(image), atol=1.01 / 255 if made is MAKERS["artefacts"] else 1e-5
    )


def drawn() -> np.random.Generator:
    return np.random.default_rng(1)


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
