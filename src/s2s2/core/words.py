"""Figures in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a time in the unit that fits.

    Example:
        >>> duration(3.2), duration(95), duration(7320), duration(9e6)
        ('3.2 s', '1 min 35 s', '2 h 2 min', '104 days')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{round(whole / 86400)} days"
