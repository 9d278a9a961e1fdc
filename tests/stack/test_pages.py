from __future__ import annotations

import builtins
import io
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageSequence

from s2s2.stack.pages import CORRUPT, encode, read_index, read_page


def drawn(shape: tuple[int, ...], bits: int = 8) -> np.ndarray:
    dtype = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(0).integers(0, 2**bits, shape, dtype=dtype)


@pytest.mark.parametrize("compression", ["zstd", "deflate"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_copies_come_back_bit_by_bit(tmp_path: Path, channels: int, bits: int, compression: str) -> None:
    copies = drawn((3, channels, 17, 23), bits)
    path = tmp_path / "case.tif"
    path.write_bytes(encode(copies, {"case": "é"}, compression=compression))
    index = read_index(path)
    assert index.note == {"case": "é"}
    assert index.depth == 3
    assert index.decoder is not None
    for number in (2, 0, 1):
        page = read_page(path, index, number)
        assert page.dtype == copies.dtype
        np.testing.assert_array_equal(page, copies[number])


def test_same_copies_same_bytes() -> None:
    copies = drawn((2, 3, 16, 16))
    assert encode(copies, {"a": 1}) == encode(copies, {"a": 1})


@pytest.mark.parametrize("compression", ["zstd", "deflate"])
@pytest.mark.parametrize("channels", [1, 3])
def test_files_open_in_pillow_and_tifffile(tmp_path: Path, channels: int, compression: str) -> None:
    copies = drawn((3, channels, 17, 23))
    path = tmp_path / "case.tif"
    path.write_bytes(encode(copies, {}, compression=compression))
    with Image.open(path) as image:
        pages = [np.atleast_3d(np.asarray(page)).transpose(2, 0, 1) for page in ImageSequence.Iterator(image)]
    np.testing.assert_array_equal(np.stack(pages), copies)
    for number in range(3):
        np.testing.assert_array_equal(
            tifffile.imread(path, key=number).reshape(copies[0].shape), copies[number]
        )


@pytest.mark.parametrize(
    "layout",
    [
        {"compression": "lzw", "predictor": True},
        {"compression": "zstd"},
        {"compression": None},
        {"compression": "zstd", "predictor": True, "tile": (16, 16)},
        {"compression": "zstd", "predictor": True, "rowsperstrip": 5},
    ],
)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_layouts_of_other_programs_are_read(tmp_path: Path, layout: dict, byteorder: str) -> None:
    pages = drawn((3, 37, 41, 3), 16)
    path = tmp_path / "case.tif"
    with tifffile.TiffWriter(path, byteorder=byteorder) as writer:
        for page in pages:
            writer.write(page, photometric="rgb", metadata=None, **layout)
    index = read_index(path)
    assert index.note == {}
    for number in range(3):
        np.testing.assert_array_equal(read_page(path, index, number), pages[number].transpose(2, 0, 1))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.25, 0.5, 0.75, 0.999])
def test_a_file_that_was_cut_is_corrupt(
    tmp_path: Path, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    data = encode(drawn((4, 3, 40, 56)), {"case": "a"})
    path = tmp_path / "case.tif"
    path.write_bytes(data[: int(share * len(data))])
    try:
        depth = read_index(path).depth
    except CORRUPT:
        depth = 0
    assert depth < 4
    assert not caplog.records


def test_a_file_whose_end_was_never_written_is_corrupt(tmp_path: Path) -> None:
    data = bytearray(encode(drawn((4, 3, 40, 56)), {}))
    data[len(data) // 3 :] = bytes(len(data) - len(data) // 3)
    path = tmp_path / "case.tif"
    path.write_bytes(data)
    with pytest.raises(CORRUPT):
        read_index(path)


def test_pixels_that_were_overwritten_are_corrupt(tmp_path: Path) -> None:
    data = bytearray(encode(drawn((2, 3, 40, 56)), {}))
    path = tmp_path / "case.tif"
    path.write_bytes(data)
    index = read_index(path)
    offset, length = index.strips[1, 0]
    data[offset : offset + length] = bytes(int(length))
    path.write_bytes(data)
    index = read_index(path)
    assert read_page(path, index, 0) is not None
    with pytest.raises(CORRUPT):
        read_page(path, index, 1)


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "case.tif"
    path.write_bytes(encode(drawn((2, 3, 16, 16)), {}))
    index = read_index(path)
    other = tmp_path / "other.tif"
    other.write_bytes(encode(drawn((4, 3, 16, 16)), {}))
    os.replace(other, path)
    assert read_page(path, index, 0) is None


def test_a_page_is_read_with_the_bytes_of_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(drawn((16, 3, 40, 56)), {})
    path = tmp_path / "case.tif"
    path.write_bytes(data)
    index = read_index(path)
    read: list[int] = []

    class Counting(io.FileIO):
        def read(self, size: int = -1, /) -> bytes:
            found = super().read(size)
            read.append(len(found))
            return found

    monkeypatch.setattr(builtins, "open", lambda path, *_, **__: Counting(path))
    read_page(path, index, 11)
    assert sum(read) == index.strips[11, :, 1].sum()
    assert sum(read) < len(data) / 15
