"""Every kind of file, written here by another way than it is read."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from imagecodecs import png_encode
from PIL import Image

from s2s2.data.files import (
    image_header,
    in_threads,
    read_image,
    read_image_raw,
    read_mask_file,
    read_mask_raw,
)
from s2s2.errors import DataError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 9), np.uint8)
RGB = RNG.integers(0, 256, (6, 9, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (6, 9), np.uint16)
DEEP_RGB = RNG.integers(0, 65536, (6, 9, 3), np.uint16)
ALPHA = np.full((6, 9, 1), 77, np.uint8)


def _pillow(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def _planes(pixels: np.ndarray) -> np.ndarray:
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff"])
@pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "rgb"])
def test_eight_bits_come_back(tmp_path: Path, suffix: str, pixels: np.ndarray) -> None:
    path = _pillow(tmp_path / f"a{suffix}", pixels)
    image = read_image(path)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, _planes(pixels) / 255, atol=1e-7)
    assert image_header(path)[:4] == ((6, 9), image.shape[0], 8, False)


@pytest.mark.parametrize("pixels", [DEEP, DEEP_RGB], ids=["grey", "rgb"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_come_back(tmp_path: Path, suffix: str, pixels: np.ndarray) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(png_encode(pixels)) if suffix == ".png" else tifffile.imwrite(path, pixels)
    assert read_image_raw(path).dtype == np.uint16
    np.testing.assert_allclose(read_image(path), _planes(pixels) / 65535, atol=1e-7)
    assert image_header(path)[:4] == ((6, 9), 1 if pixels.ndim == 2 else 3, 16, False)


def test_alpha_is_dropped(tmp_path: Path) -> None:
    rgba = np.concatenate([RGB, ALPHA], axis=-1)
    grey_alpha = np.concatenate([GREY[..., None], ALPHA], axis=-1)
    deep = np.concatenate([DEEP_RGB, np.full((6, 9, 1), 9, np.uint16)], axis=-1)
    paths = {
        "a.png": RGB,
        "b.png": GREY,
        "c.png": DEEP_RGB,
        "d.tif": RGB,
    }
    _pillow(tmp_path / "a.png", rgba)
    _pillow(tmp_path / "b.png", grey_alpha)
    (tmp_path / "c.png").write_bytes(png_encode(deep))
    tifffile.imwrite(tmp_path / "d.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    for name, expected in paths.items():
        np.testing.assert_array_equal(read_image_raw(tmp_path / name), _planes(expected), err_msg=name)
        assert image_header(tmp_path / name).channels == len(_planes(expected)), name


def test_jpeg_is_read(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    Image.fromarray(ramp).save(tmp_path / "grey.jpg", quality=95)
    Image.fromarray(np.stack([ramp] * 3, -1)).save(tmp_path / "rgb.jpeg", quality=95)
    Image.fromarray(np.stack([ramp] * 3, -1)).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    for name, channels in (("grey.jpg", 1), ("rgb.jpeg", 3), ("cmyk.jpg", 3)):
        assert np.abs(read_image(tmp_path / name) - ramp / 255).max() < 0.05
        assert image_header(tmp_path / name)[:4] == ((48, 64), channels, 8, False)


def test_a_palette_is_looked_up(tmp_path: Path) -> None:
    indices = RNG.integers(0, 3, (6, 9), np.uint8)
    colours = np.array([[0, 0, 0], [200, 10, 30], [7, 8, 9]], np.uint8)
    image = Image.fromarray(indices, "L").convert("P")
    image.putpalette(colours.ravel().tolist())
    image.save(tmp_path / "a.png")
    colormap = np.zeros((3, 256), np.uint16)
    colormap[:, :3] = colours.T.astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=colormap)
    for name in ("a.png", "a.tif"):
        np.testing.assert_array_equal(read_image_raw(tmp_path / name), _planes(colours[indices]))
        assert image_header(tmp_path / name)[:4] == ((6, 9), 3, 8, False)
        np.testing.assert_array_equal(read_mask_raw(tmp_path / name), indices)


def test_a_palette_of_greys_is_grey(tmp_path: Path) -> None:
    indices = np.array([[0, 1], [1, 0]], np.uint8)
    image = Image.fromarray(indices, "L").convert("P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    image.save(tmp_path / "a.png")
    assert read_mask_raw(tmp_path / "a.png").tolist() == [[255, 0], [0, 255]]
    assert image_header(tmp_path / "a.png").channels == 1
    assert read_image_raw(tmp_path / "a.png").tolist() == [[[255, 0], [0, 255]]]


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (RNG.integers(0, 256, (6, 9, 5), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}),
        (
            RNG.integers(0, 256, (5, 6, 9), np.uint8),
            {"photometric": "minisblack", "planarconfig": "separate"},
        ),
        (RNG.integers(0, 65536, (5, 6, 9), np.uint16), {"photometric": "minisblack"}),
        (RNG.integers(0, 65536, (4, 6, 9), np.uint16), {"imagej": True, "metadata": {"axes": "CYX"}}),
        (RNG.integers(0, 256, (2, 6, 9), np.uint8), {"photometric": "minisblack", "compression": "lzw"}),
    ],
    ids=["contiguous", "planar", "pages", "imagej", "lzw"],
)
def test_tiff_of_many_channels(tmp_path: Path, pixels: np.ndarray, options: dict[str, object]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)  # type: ignore[arg-type]
    expected = np.moveaxis(pixels, -1, 0) if options.get("planarconfig") == "contig" else pixels
    np.testing.assert_array_equal(read_image_raw(tmp_path / "a.tif"), expected)
    assert image_header(tmp_path / "a.tif")[:2] == ((6, 9), len(expected))


def test_tiff_that_is_inverted_or_big_endian(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "white.tif", GREY, photometric="miniswhite")
    np.testing.assert_array_equal(read_image_raw(tmp_path / "white.tif")[0], 255 - GREY)
    tifffile.imwrite(tmp_path / "big.tif", DEEP, byteorder=">")
    np.testing.assert_array_equal(read_image_raw(tmp_path / "big.tif")[0], DEEP)


def test_float_tiff_lies_in_the_unit_range(tmp_path: Path) -> None:
    unit = RNG.random((6, 9)).astype(np.float32)
    tifffile.imwrite(tmp_path / "a.tif", unit)
    np.testing.assert_allclose(read_image(tmp_path / "a.tif")[0], unit, atol=1e-5)
    tifffile.imwrite(tmp_path / "b.tif", unit * 40 - 3)
    with pytest.raises(DataError, match=r"b\.tif holds floating point values from .* expected 0 to 1"):
        read_image(tmp_path / "b.tif")
    tifffile.imwrite(tmp_path / "c.tif", np.full((6, 9), np.nan, np.float32))
    with pytest.raises(DataError, match="floating point values from nan"):
        read_image(tmp_path / "c.tif")


def test_signed_pixels_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((6, 9), -5, np.int16))
    with pytest.raises(DataError, match="pixels of type int16, expected uint8, uint16 or float"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_a_volume_or_a_film_is_refused(tmp_path: Path, axes: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 6, 9), np.uint8), imagej=True, metadata={"axes": axes})
    with pytest.raises(DataError, match=rf"a\.tif cannot be read: it is a TIFF with axes {axes}.*own file"):
        read_image(tmp_path / "a.tif")
    with pytest.raises(DataError, match="expected one image"):
        image_header(tmp_path / "a.tif")


_STORE = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.swapaxes(0, 1),
    6: np.rot90,
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}
"""What stores an upright image under each orientation tag."""


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "deep.png", "a.tif", "deep.tif", "a.jpg", "palette.png"])
def test_the_orientation_tag_is_heeded_in_every_format(tmp_path: Path, name: str, tag: int) -> None:
    upright = np.zeros((40, 64), np.uint8)
    upright[:8], upright[:, :24] = 255, 90
    stored = np.ascontiguousarray(_STORE[tag](upright))
    deep = stored.astype(np.uint16) * 257
    exif = Image.Exif()
    exif[0x0112] = tag
    path = tmp_path / name
    if name.endswith(".tif"):
        pixels = deep if name.startswith("deep") else stored
        tifffile.imwrite(path, pixels, extratags=[(274, "H", 1, tag, True)])
    elif name == "deep.png":
        whole, chunk = png_encode(deep), exif.tobytes().removeprefix(b"Exif\0\0")
        body = b"eXIf" + chunk
        extra = len(chunk).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
        path.write_bytes(whole[:-12] + extra + whole[-12:])  # behind the pixels, before IEND
    elif name == "palette.png":
        image = Image.fromarray(stored, "L").convert("P")
        image.putpalette([value for level in range(256) for value in (level, level, level)])
        image.save(path, exif=exif)
    else:
        Image.fromarray(stored).save(path, exif=exif, **({"quality": 98} if name == "a.jpg" else {}))
    head = image_header(path)
    assert (head.shape, head.rotated) == ((40, 64), tag != 1)
    assert np.abs(read_image(path)[0] - upright / 255).max() < (0.1 if name == "a.jpg" else 1e-6)
    expected = upright.astype(int) * (257 if name.startswith("deep") else 1)
    assert np.abs(read_mask_raw(path) - expected).max() <= (20 if name == "a.jpg" else 0)


def test_a_corrupt_orientation_tag_is_none(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "a.png", exif=b"Exif\0\0nonsense")
    np.testing.assert_array_equal(read_image_raw(tmp_path / "a.png")[0], GREY)
    tifffile.imwrite(tmp_path / "a.tif", GREY, extratags=[(274, "H", 1, 99, True)])
    np.testing.assert_array_equal(read_image_raw(tmp_path / "a.tif")[0], GREY)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_of_any_precision_are_read_alike(tmp_path: Path, kind: type) -> None:
    unit = RNG.random((6, 9, 3)).astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", unit, photometric="rgb")
    np.testing.assert_allclose(read_image(tmp_path / "a.tif"), np.moveaxis(unit, -1, 0), atol=1e-5)
    for wrong in (unit * 200, unit - 1, np.full_like(unit, np.inf), np.full_like(unit, np.nan)):
        tifffile.imwrite(tmp_path / "b.tif", wrong, photometric="rgb")
        with pytest.raises(DataError, match=r"floating point values from .* expected 0 to 1"):
            read_image(tmp_path / "b.tif")
    tifffile.imwrite(tmp_path / "mask.tif", np.array([[0, 1], [2, 0]], kind))
    assert read_mask_raw(tmp_path / "mask.tif").tolist() == [[0, 1], [2, 0]]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png cannot be read .*it is a folder, a pipe or a device"):
        read_image(tmp_path / "a.png")


def test_grey_and_rgb_turn_into_each_other(tmp_path: Path) -> None:
    grey, rgb = _pillow(tmp_path / "g.png", GREY), _pillow(tmp_path / "c.png", RGB)
    np.testing.assert_array_equal(read_image_raw(grey, 3), np.stack([GREY] * 3))
    expected = 0.299 * RGB[..., 0] + 0.587 * RGB[..., 1] + 0.114 * RGB[..., 2]
    assert np.abs(read_image_raw(rgb, 1)[0] - expected).max() <= 0.51
    with pytest.raises(DataError, match=r"c\.png has 3 channels, expected 4\. Only grey \(1\) and RGB \(3\)"):
        read_image(rgb, 4)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp", "deep.png"])
def test_a_corrupt_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "deep.png":
        path.write_bytes(png_encode(RNG.integers(0, 65536, (60, 90, 3), np.uint16)))
    else:
        _pillow(path, RNG.integers(0, 256, (60, 90, 3), np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=rf"{name} cannot be read"):
        read_image(path)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("not an image")
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image .*Expected a whole PNG, JPEG"):
        read_image(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png cannot be read"):
        image_header(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"There is no file .*b\.png"):
        read_mask_raw(tmp_path / "b.png")


def test_the_content_decides_not_the_suffix(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", format="TIFF")
    np.testing.assert_array_equal(read_image_raw(tmp_path / "a.png"), _planes(RGB))


def test_masks_of_one_bit_are_black_and_white(tmp_path: Path) -> None:
    drawn = np.array([[False, True], [True, False]])
    for name in ("a.png", "a.tif", "a.bmp"):
        Image.fromarray(drawn).save(tmp_path / name)
        assert read_mask_raw(tmp_path / name).tolist() == [[0, 255], [255, 0]], name
        assert read_mask_raw(tmp_path / name).dtype == np.uint8


def test_grey_masks_of_rgb_files_are_grey(tmp_path: Path) -> None:
    rgba = np.concatenate([np.stack([GREY] * 3, -1), ALPHA], axis=-1)
    np.testing.assert_array_equal(read_mask_raw(_pillow(tmp_path / "a.png", rgba)), GREY)
    np.testing.assert_array_equal(read_mask_raw(_pillow(tmp_path / "b.png", RGB)), RGB)


def test_masks_of_whole_numbers_in_other_types(tmp_path: Path) -> None:
    ids = RNG.integers(0, 4, (6, 9))
    tifffile.imwrite(tmp_path / "a.tif", ids.astype(np.float32))
    tifffile.imwrite(tmp_path / "b.tif", ids.astype(np.int32))
    np.testing.assert_array_equal(read_mask_raw(tmp_path / "a.tif"), ids)
    np.testing.assert_array_equal(read_mask_raw(tmp_path / "b.tif"), ids)
    tifffile.imwrite(tmp_path / "c.tif", ids / 2)
    with pytest.raises(DataError, match="values of type float64 that are no class ids"):
        read_mask_raw(tmp_path / "c.tif")
    tifffile.imwrite(tmp_path / "d.tif", RNG.integers(0, 9, (6, 9, 5), np.uint8), planarconfig="contig")
    with pytest.raises(DataError, match="has 5 channels of type uint8, which is no mask"):
        read_mask_raw(tmp_path / "d.tif")


def test_a_mask_in_the_alpha_channel_is_refused(tmp_path: Path) -> None:
    layer = np.full((6, 8, 4), 255, np.uint8)
    layer[:3, :, 3] = 0
    with pytest.raises(DataError, match=r"one colour everywhere, and its shapes are in the alpha channel"):
        read_mask_file(_pillow(tmp_path / "layer.png", layer))
    layer[0, 0, :3] = 0
    assert read_mask_file(_pillow(tmp_path / "mask.png", layer)).alpha


def test_complex_masks_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "mask.tif", np.zeros((6, 8), np.complex64))
    with pytest.raises(DataError, match=r"complex64 that are no class ids"):
        read_mask_file(tmp_path / "mask.tif")


def test_threads_keep_the_order_of_results() -> None:
    assert list(in_threads(lambda number: number**2, range(1000))) == [number**2 for number in range(1000)]
    assert list(in_threads(abs, [])) == []
