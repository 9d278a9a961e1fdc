"""File names for cases, domains and arms: any text that a user gives, as a name that every disk allows.

Nothing else joins a user's text to a path. A text of letters, digits and ordinary signs
is its own file name, so folders stay readable; all else is percent-encoded.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote, unquote

LONGEST = 120
"""Bytes of the longest file name; most file systems allow 255 with every suffix."""
_SAFE = "@+(),="
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def file_name(text: str) -> str:
    """Return a file name, without a suffix, that stands for a text.

    Two texts never share one, though some disks take `A` and `a` for the same. `text_of` gives
    the text back, unless it was too long: then the name ends in `~` and a digest of the text,
    which stands in the table or record beside it.

    Args:
        text: Any text, such as a case id.

    Example:
        >>> file_name("case_1"), file_name("CT/MR"), file_name(".."), file_name("s2s2@diffusion(steps=9)")
        ('case_1', 'CT%2FMR', '%2E%2E', 's2s2@diffusion(steps=9)')
    """
    name = quote(text, safe=_SAFE, errors="surrogatepass").replace("~", "%7E") or "%"
    if name[0] == ".":
        name = f"%2E{name[1:]}"
    if name[-1] == ".":
        name = f"{name[:-1]}%2E"
    if name.partition(".")[0].lower() in _DEVICES:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{name[: LONGEST - 17]}~{digest}"


def text_of(name: str) -> str:
    """Return the text that a file name stands for; of one that was cut, about its beginning.

    Example:
        >>> text_of(file_name("CT/MR"))
        'CT/MR'
    """
    if name == "%":
        return ""
    try:
        return unquote(name, errors="surrogatepass")
    except UnicodeDecodeError:
        return unquote(name, errors="replace")


def is_file(text: str | Path) -> bool:
    """Whether a text, which may be an expression or a list of names instead, is the path of a file.

    Example:
        >>> is_file(__file__), is_file("|".join(map(str, range(9999))))
        (True, False)
    """
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # longer than a path may be, or with a letter that none may have
        return False


def counted(text: str) -> tuple[str | int, ...]:
    """Return what orders names as people count: `slice10` comes behind `slice9`.

    Example:
        >>> sorted(["slice10", "slice9", "slice010b"], key=counted)
        ['slice9', 'slice10', 'slice010b']
    """
    parts = re.split(r"(\d+)", text)
    return tuple(int(part) if number % 2 else part for number, part in enumerate(parts))
