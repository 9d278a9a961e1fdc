"""Short names of arms and generators, for the page and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def shown_names(arms: Iterable[str]) -> dict[str, str]:
    """Return what the page calls each arm: without its generator's options, where that tells it apart.

    Example:
        >>> shown_names(["s2s2@diffusion(steps=9)", "s2s2@folder('a')", "s2s2@folder('b')"]).values()
        dict_values(['s2s2@diffusion', "s2s2@folder('a')", "s2s2@folder('b')"])
    """
    short = {arm: without_options(arm) for arm in arms}
    times = Counter(short.values())
    return {arm: name if times[name] == 1 else arm for arm, name in short.items()}


def without_options(spec: str) -> str:
    """Return an arm or a generator without what stands in brackets.

    Example:
        >>> without_options("diffusion(channels=(16, 32))+appearance")
        'diffusion+appearance'
    """
    depth, quoted, kept = 0, "", []
    for letter in spec:
        if letter in "'\"" and quoted in ("", letter):
            quoted = "" if quoted else letter
        depth += letter == "(" and not quoted
        if depth == 0:
            kept.append(letter)
        depth -= letter == ")" and not quoted and depth > 0
    return "".join(kept)
