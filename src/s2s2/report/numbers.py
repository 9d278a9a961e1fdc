"""Numbers as people read them: a sign, a true minus, as many digits as mean something."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"


def plain(value: float, digits: int = 3) -> str:
    """Return a number with fixed digits, a dash where there is none.

    Example:
        >>> plain(0.68149), plain(float("nan"))
        ('0.681', '–')
    """
    if not math.isfinite(value):
        return DASH
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float, digits: int = 3) -> str:
    """Return a difference with its sign.

    Example:
        >>> signed(0.0462), signed(-0.0104), signed(0.0001)
        ('+0.046', '−0.010', '0.000')
    """
    if not math.isfinite(value):
        return DASH
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    return f"{value:+.{digits}f}".replace("-", MINUS)


def interval(low: float, high: float) -> str:
    """Return the interval of a difference.

    Example:
        >>> interval(-0.0204, 0.0401)
        '−0.020 to +0.040'
    """
    return f"{signed(low)} to {signed(high)}"


def probability(value: float) -> str:
    """Return a p value; small ones as a bound.

    Example:
        >>> probability(0.0312), probability(0.00001), probability(1.0)
        ('0.031', '< 0.001', '1.000')
    """
    if not math.isfinite(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Example:
        >>> count(1, "seed"), count(144, "case"), count(2, "copy", "copies")
        ('1 seed', '144 cases', '2 copies')
    """
    return f"{thousands(number)} {noun if number == 1 else plural or noun + 's'}"


def thousands(number: int) -> str:
    """Return a whole number with thin groups of three from ten thousand on."""
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}") if abs(number) >= 10_000 else str(number)


def joined(parts: list[str]) -> str:
    """Return the parts as an English list.

    Example:
        >>> joined(["Padova", "Aviano", "Oxford"])
        'Padova, Aviano and Oxford'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
