"""Ranges that random changes are drawn from."""

from __future__ import annotations

from s2s2.errors import ConfigError

Range = tuple[float, float]


def check_range(owner: str, name: str, value: Range, low: float, high: float) -> None:
    """Refuse a range that is not two numbers in order within [low, high].

    Args:
        owner: Class of the option, for the message.
        name: Option.
        value: Smallest and largest value that may be drawn.
        low: Smallest value that makes sense.
        high: Largest value that makes sense.

    Raises:
        ConfigError: If the range leaves [low, high] or is out of order.

    Example:
        >>> check_range("GeometryConfig", "scale", (0.8, 1.25), 0.1, 10)
    """
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ConfigError(
            f"{owner}.{name} must be two numbers in order within [{low:g}, {high:g}], got {value}. "
            f"Give the smallest and the largest value to draw; two equal numbers switch the drawing off."
        )
