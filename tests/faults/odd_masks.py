"""Odd and corrupt mask files: how each is made of a mask, and what it must be read as, or refused."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
from PIL import Image

from s2s2.core.types import LabelMap
from s2s2.data.reading.reader import turned
from tests.faults.odd_files import Pixels, adam7, cut, flipped, huge_png, saved, tiff

RED = (255, 0, 0)
_BACK = {6: 8, 8: 6}
"""The orientation that undoes one."""
_BLACK = {"photometric": "minisblack"}
_CONTIG = {**_BLACK, "planarconfig": "contig"}


class OddMask(NamedTuple):
    """A mask file in place of a good one, which holds 0 and 255.

    Args:
        content: Makes its bytes of a mask of 0 and 1; None: what lies there is no file.
        suffix: Of its name.
        expected: Returns the class ids that it must be read as; None where it must be refused.
        everywhere: Whether all masks of the set are so, not one alone.
        off: The share of pixels that may differ, where compression blurs edges.
    """

    content: Callable[[LabelMap], bytes]
    suffix: str = "png"
    expected: Callable[[LabelMap], LabelMap] | None = None
    everywhere: bool = False
    off: float = 0


def odd_masks() -> dict[str, OddMask]:
    """Return odd masks by what is odd."""
    return {**_broken(), **_no_masks(), **_values(), **_colours(), **_tiffs(), **_turned(), **_lossy()}


def _same(mask: LabelMap) -> LabelMap:
    return mask


def _white(mask: LabelMap) -> Pixels:
    return mask * np.uint8(255)


def _png(mask: LabelMap) -> bytes:
    return saved(Image.fromarray(_white(mask)), "png")


def _broken() -> dict[str, OddMask]:
    kinds: dict[str, Callable[[LabelMap], bytes]] = {
        "png": _png,
        "tif": lambda mask: tiff(_white(mask)),
        "jpg": lambda mask: saved(Image.fromarray(_white(mask)), "jpeg", quality=95),
    }
    found = {}
    for suffix, whole in kinds.items():
        for share in (0, 0.1, 0.5, 0.8):
            found[f"{suffix} cut at {share:.0%}"] = OddMask(
                lambda mask, whole=whole, share=share: cut(whole(mask), share),  # type: ignore[misc]
                suffix,
            )
    found["png with its first byte flipped"] = OddMask(lambda mask: flipped(_png(mask), 0))
    found["png flipped in the middle"] = OddMask(lambda mask: flipped(_png(mask), len(_png(mask)) // 2))
    found["png with more behind it"] = OddMask(lambda mask: _png(mask) + b"x" * 100, expected=_same)
    return found


def _array_file(mask: LabelMap, *, archive: bool) -> bytes:
    buffer, objects = io.BytesIO(), np.array([mask, None], dtype=object)
    (np.savez if archive else np.save)(buffer, objects)
    return buffer.getvalue()


def _no_masks() -> dict[str, OddMask]:
    return {
        "text": OddMask(lambda mask: b"hello"),
        "a page of a server": OddMask(lambda mask: b"<html><body>404</body></html>"),
        "a pickle": OddMask(lambda mask: pickle.dumps(mask)),
        "a pickled npy": OddMask(lambda mask: _array_file(mask, archive=False)),
        "a pickled npy under its own name": OddMask(lambda mask: _array_file(mask, archive=False), "npy"),
        "an npz of objects": OddMask(lambda mask: _array_file(mask, archive=True)),
        "an npz under its own name": OddMask(lambda mask: _array_file(mask, archive=True), "npz"),
        "a gif": OddMask(lambda mask: saved(Image.fromarray(_white(mask)), "gif"), "gif"),
        "a webp named png": OddMask(lambda mask: saved(Image.fromarray(_white(mask)), "webp")),
        "a png of 10 gigapixels": OddMask(lambda mask: huge_png(100_000, 100_000)),
        "a png of no pixel": OddMask(lambda mask: huge_png(0, 0)),
        "of another size": OddMask(lambda mask: _png(mask[:-1])),
        "of half the size": OddMask(lambda mask: _png(mask[::2, ::2].copy())),
        "all of another size": OddMask(lambda mask: _png(mask[:, :-3].copy()), everywhere=True),
        "of more values than classes": OddMask(
            lambda mask: saved(
                Image.fromarray((np.cumsum(mask).reshape(mask.shape) % 200).astype("u1")), "png"
            )
        ),
    }


def _levels(pixels: Callable[[LabelMap], Pixels], **how: Any) -> OddMask:
    return OddMask(lambda mask: saved(Image.fromarray(pixels(mask)), "png"), **how)


def _deep(mask: LabelMap, level: int) -> bytes:
    return bytes(imagecodecs.png_encode(mask.astype(np.uint16) * np.uint16(level)))


def _three(mask: LabelMap) -> LabelMap:
    """Return a mask of three classes: the foreground above the middle is another than below."""
    below = np.arange(len(mask))[:, None] >= len(mask) // 2
    return mask * (1 + below).astype(np.uint8)


def _smooth(mask: LabelMap) -> Pixels:
    """Return a white mask whose edges are softened by half a pixel."""
    wide = np.pad(_white(mask).astype(float), 1, mode="edge")
    near = (wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]) / 4
    return np.asarray(np.rint(0.6 * wide[1:-1, 1:-1] + 0.4 * near), np.uint8)


def _values() -> dict[str, OddMask]:
    bits = Image.fromarray
    return {
        "of 0 and 1 among 0 and 255": _levels(_same, expected=_same),
        "of 0 and 1 in all": _levels(_same, expected=_same, everywhere=True),
        "of 0 and 254 among 0 and 255": _levels(lambda mask: mask * np.uint8(254)),
        "of 254 and 255 among 0 and 255": _levels(lambda mask: mask + np.uint8(254)),
        "of 0 and 254 in all": _levels(lambda mask: mask * np.uint8(254), expected=_same, everywhere=True),
        "of three levels in all": _levels(
            lambda mask: _three(mask) * np.uint8(100), expected=_three, everywhere=True
        ),
        "blank": _levels(np.zeros_like, expected=np.zeros_like),
        "all blank": _levels(np.zeros_like, everywhere=True),
        "all foreground": _levels(lambda mask: _white(np.ones_like(mask)), expected=np.ones_like),
        "with soft edges": _levels(_smooth, expected=_same),
        "with soft edges in all": _levels(_smooth, expected=_same, everywhere=True),
        "of 1 bit": OddMask(lambda mask: saved(bits(mask.astype(bool)), "png"), expected=_same),
        "interlaced": OddMask(lambda mask: adam7(_white(mask)), expected=_same),
        "of 16 bits, 0 and 1": OddMask(lambda mask: _deep(mask, 1), expected=_same),
        "of 16 bits, 0 and 255": OddMask(lambda mask: _deep(mask, 255), expected=_same),
        "of 16 bits, 0 and 65535": OddMask(lambda mask: _deep(mask, 65535)),
        "of 16 bits, 0 and 65535 in all": OddMask(
            lambda mask: _deep(mask, 65535), expected=_same, everywhere=True
        ),
        "bmp": OddMask(lambda mask: saved(bits(_white(mask)), "bmp"), "bmp", _same),
        "png named tif": OddMask(_png, "tif", _same),
        "png named jpg": OddMask(_png, "jpg", _same),
        "png named PNG": OddMask(_png, "PNG", _same),
        "tiff named png": OddMask(lambda mask: tiff(_white(mask)), expected=_same),
    }


def _painted(mask: Pixels, colour: tuple[int, ...]) -> Pixels:
    """Paint a mask of shares 0 to 1 in a colour on black."""
    return np.asarray(np.rint(mask[..., None] * np.array(colour)), np.uint8)


def _palette(mask: LabelMap, *colours: tuple[int, int, int], **options: Any) -> bytes:
    image = Image.fromarray(mask, "L").convert("P")
    image.putdata(mask.ravel().tolist())
    image.putpalette([part for colour in colours for part in colour])
    return saved(image, "png", **options)


def _layer(mask: LabelMap, level: int) -> Pixels:
    """Return a layer of one grey whose mask is what is opaque."""
    return np.dstack([np.full((*mask.shape, 3), level, np.uint8), _white(mask)])


def _colours() -> dict[str, OddMask]:
    black, white = (0, 0, 0), (255, 255, 255)
    clear = lambda mask: np.dstack([_painted(mask, white), np.zeros_like(mask)])  # noqa: E731
    return {
        "rgb in black and white": _levels(lambda mask: _painted(mask, white), expected=_same),
        "red among grey": _levels(lambda mask: _painted(mask, RED)),
        "red in all": _levels(lambda mask: _painted(mask, RED), expected=_same, everywhere=True),
        "rgb with soft grey edges": _levels(
            lambda mask: _painted(_smooth(mask) / 255, white), expected=_same
        ),
        "rgb with soft red edges": _levels(lambda mask: _painted(_smooth(mask) / 255, RED)),
        "palette in black and white": OddMask(lambda mask: _palette(mask, black, white), expected=_same),
        "palette from white to black": OddMask(lambda mask: _palette(1 - mask, white, black), expected=_same),
        "palette in red, index 1": OddMask(lambda mask: _palette(mask, black, RED), expected=_same),
        "palette in red, index 2": OddMask(lambda mask: _palette(mask * np.uint8(2), black, white, RED)),
        "palette with transparency": OddMask(
            lambda mask: _palette(mask, black, white, transparency=b"\0\xff"), expected=_same
        ),
        "palettes whose index 1 is black": OddMask(
            lambda mask: _palette(1 - mask, RED, black), everywhere=True
        ),
        "rgba with alpha 0": _levels(clear, expected=_same),
        "rgba with alpha 255": _levels(lambda mask: clear(mask) + np.uint8([0, 0, 0, 255]), expected=_same),
        "grey with alpha": OddMask(
            lambda mask: saved(Image.fromarray(np.dstack([_white(mask), mask]), "LA"), "png"), expected=_same
        ),
        "in the alpha of a black layer": _levels(lambda mask: _layer(mask, 0)),
        "in the alpha of a white layer": _levels(lambda mask: _layer(mask, 255)),
        "in the alpha in all": _levels(lambda mask: _layer(mask, 255), everywhere=True),
    }


def _hole(mask: LabelMap, value: float) -> Pixels:
    holed = mask.astype(np.float32)
    holed[3, 3] = value
    return holed


def _tiffs() -> dict[str, OddMask]:
    kinds: dict[str, tuple[Callable[[LabelMap], Pixels], bool, dict[str, Any]]] = {
        "of floats": (lambda mask: mask.astype(np.float32), True, {}),
        "of half floats": (lambda mask: mask.astype(np.float16), True, {}),
        "of doubles to 255": (lambda mask: mask * 255.0, True, {}),
        "with a pixel that is no number": (lambda mask: _hole(mask, np.nan), False, {}),
        "with an infinite pixel": (lambda mask: _hole(mask, np.inf), False, {}),
        "with a pixel of a half": (lambda mask: _hole(mask, 0.5), False, {}),
        "with a negative pixel": (lambda mask: _hole(mask, -1), False, {}),
        "with a pixel too large": (lambda mask: _hole(mask, 70_000), False, {}),
        "of 32-bit integers": (lambda mask: mask.astype(np.int32), True, {}),
        "of signed bytes with -1": (lambda mask: mask.astype(np.int8) - np.int8(1), False, {}),
        "of complex numbers": (lambda mask: mask.astype(np.complex64), False, {}),
        "of 1 bit": (lambda mask: mask.astype(bool), True, _BLACK),
        "of 1 bit whose 0 is white": (lambda mask: mask == 0, True, {"photometric": "miniswhite"}),
        "whose 0 is white": (lambda mask: _white(1 - mask), True, {"photometric": "miniswhite"}),
        "of two pages": (lambda mask: np.stack([_white(mask)] * 2), False, _BLACK),
        "of five pages": (lambda mask: np.stack([_white(mask)] * 5), False, _BLACK),
        "of four inks": (lambda mask: np.dstack([_white(mask)] * 4), False, {"photometric": "separated"}),
        "of two channels": (lambda mask: np.dstack([_white(mask)] * 2), False, _CONTIG),
        "in red": (lambda mask: _painted(mask, RED), False, {}),
    }
    return {
        f"tiff {name}": OddMask(
            lambda mask, make=make, how=how: tiff(make(mask), **how),  # type: ignore[misc]
            "tif",
            _same if good else None,
        )
        for name, (make, good, how) in kinds.items()
    }


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[274] = orientation
    return exif


def _turned() -> dict[str, OddMask]:
    found = {}
    for tag in (3, 6, 8):

        def lying(mask: LabelMap, tag: int = tag) -> Pixels:
            return np.ascontiguousarray(turned(_white(mask), _BACK.get(tag, tag)))

        found[f"png turned by tag {tag}"] = OddMask(
            lambda mask, lying=lying, tag=tag: saved(  # type: ignore[misc]
                Image.fromarray(lying(mask)), "png", exif=_exif(tag)
            ),
            expected=_same,
        )
        found[f"tiff turned by tag {tag}"] = OddMask(
            lambda mask, lying=lying, tag=tag: tiff(  # type: ignore[misc]
                lying(mask), extratags=[(274, "H", 1, tag, False)]
            ),
            "tif",
            _same,
        )
    found["png upright with a tag that turns it"] = OddMask(
        lambda mask: saved(Image.fromarray(_white(mask)), "png", exif=_exif(6))
    )
    return found


def _jpeg(pixels: Pixels, mode: str | None = None, **options: Any) -> bytes:
    image = Image.fromarray(pixels)
    return saved(image.convert(mode) if mode else image, "jpeg", **{"quality": 90, **options})


def _lossy() -> dict[str, OddMask]:
    return {
        "jpeg": OddMask(lambda mask: _jpeg(_white(mask)), "jpg", _same, off=0.01),
        "jpeg of white 235 in all": OddMask(
            lambda mask: _jpeg(mask * np.uint8(235)), "jpg", _same, everywhere=True, off=0.01
        ),
        "jpeg of three levels in all": OddMask(
            lambda mask: _jpeg(_three(mask) * np.uint8(100)), "jpg", _three, everywhere=True, off=0.05
        ),
        "jpeg of near levels in all": OddMask(lambda mask: _jpeg(_three(mask)), "jpg", everywhere=True),
        "jpeg in red": OddMask(lambda mask: _jpeg(_painted(mask, RED)), "jpg"),
        "jpeg of four inks in red": OddMask(lambda mask: _jpeg(_painted(mask, RED), "CMYK"), "jpg"),
    }
