"""Stratified assignment of groups of cases to parts of given sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from s2s2.core.streams import stream
from s2s2.errors import SplitError

_MOST_STRATA = 20


def assign(groups: Mapping[str, Sequence[float]], wanted: Sequence[int], *, seed: int) -> dict[str, int]:
    """Assign every group to a part.

    The groups are divided into strata of similar mean value. From the largest to the
    smallest (in random order where they are of one size), a group goes to the part that
    still lacks most of its cases, of its stratum first; every part that wants cases
    gets a group.

    Args:
        groups: For each group one value per case, such as the share of foreground.
        wanted: Number of cases that each part should have.
        seed: Seed of the order.

    Returns:
        The index of the part of each group.

    Example:
        >>> parts = assign({"a": [0.1], "b": [0.2], "c": [0.3, 0.3], "d": [0.4]}, (2, 2, 1), seed=0)
        >>> [sum(1 for part in parts.values() if part == k) for k in range(3)]
        [1, 2, 1]
    """
    names = sorted(groups)
    drawn = stream(seed, "split").permutation(len(names))
    order = sorted(range(len(names)), key=lambda index: (-len(groups[names[index]]), drawn[index]))
    stratum = _strata(groups, names, _strata_for(wanted, len(names)))
    room = _Room(wanted, Counter[int]())
    for index, name in enumerate(names):
        room.in_stratum[stratum[index]] += len(groups[name])
    part_of = {}
    for done, index in enumerate(order):
        size = len(groups[names[index]])
        part = room.neediest(stratum[index], size, left=len(order) - done)
        room.take(part, stratum[index], size)
        part_of[names[index]] = part
    return part_of


def spread(part_of: Mapping[str, int], groups: Mapping[str, Sequence[float]], parts: int) -> dict[str, int]:
    """Give every part a group with a value above 0, by exchanging as few groups as that takes.

    A part that has none gets one of about equal size from the part that has most; the division is as
    good as before where every part has one, or where there are too few.

    Args:
        part_of: The part of each group, as `assign` gave it.
        groups: For each group one value per case.
        parts: Number of parts; a group in a part above these is in none of them.

    Example:
        >>> spread({"a": 0, "b": 0, "c": 1}, {"a": [0.1], "b": [0.2], "c": [0.0]}, 2)
        {'a': 1, 'b': 0, 'c': 0}
    """
    result = dict(part_of)
    marked = [name for name in sorted(groups) if any(value > 0 for value in groups[name])]
    for part in range(parts):
        inside = [name for name in sorted(result) if result[name] == part]
        held = Counter(result[name] for name in marked)
        given = [name for name in marked if held[result[name]] > 1 or result[name] >= parts]
        if not inside or held[part] or not given:
            continue
        donor = max((result[name] for name in given), key=lambda one: (one >= parts, held[one], -one))
        pairs = [(name, other) for name in given if result[name] == donor for other in inside]
        name, other = min(pairs, key=lambda pair: (abs(len(groups[pair[0]]) - len(groups[pair[1]])), *pair))
        result[name], result[other] = part, donor
    return result


def part_sizes(
    cases: int, fractions: tuple[float, float, float], counts: tuple[int, int, int] | None
) -> tuple[int, int, int]:
    """Return how many cases each part should have."""
    if counts is not None:
        if len(counts) != 3 or min(counts) < 0 or sum(counts) > cases:
            raise SplitError(
                f"counts is {counts}, expected three numbers that add up to {cases} cases at most."
            )
        return counts
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise SplitError(f"fractions is {fractions}, expected three shares from 0 to 1 that add up to 1.")
    return _rounded(fractions, cases)


def _rounded(fractions: tuple[float, float, float], cases: int) -> tuple[int, int, int]:
    """Round shares to whole cases that add up; a share above 0 gets one case at least."""
    exact = [share * cases for share in fractions]
    whole = [max(1, int(number)) if number > 0 else 0 for number in exact]
    while sum(whole) < cases:
        short = [number - have for number, have in zip(exact, whole, strict=True)]
        whole[short.index(max(short))] += 1
    while sum(whole) > cases and max(whole) > 1:
        whole[whole.index(max(whole))] -= 1
    return whole[0], whole[1], whole[2]


class _Room:
    """What each part still lacks, in all and of each stratum."""

    def __init__(self, wanted: Sequence[int], in_stratum: Counter[int]) -> None:
        self.wanted = wanted
        self.in_stratum = in_stratum
        self.taken = [0] * len(wanted)
        self.taken_of: Counter[tuple[int, int]] = Counter()

    def neediest(self, stratum: int, size: int, *, left: int) -> int:
        """Return the part for a group of this stratum and size, `left` groups being left."""
        parts = [part for part, cases in enumerate(self.wanted) if cases > 0]
        empty = [part for part in parts if not self.taken[part]]
        # The last groups go to parts that would stay empty otherwise.
        return max(empty if left <= len(empty) else parts, key=lambda part: self._need(part, stratum, size))

    def take(self, part: int, stratum: int, size: int) -> None:
        """Assign a group to a part."""
        self.taken[part] += size
        self.taken_of[part, stratum] += size

    def _need(self, part: int, stratum: int, size: int) -> tuple[bool, float, float]:
        """Order the parts: those with room for the group first, then by stratum, then by share."""
        lacking = self.wanted[part] - self.taken[part]
        share = self.in_stratum[stratum] / max(1, self.in_stratum.total())
        lacking_of_stratum = self.wanted[part] * share - self.taken_of[part, stratum]
        relative = lacking / self.wanted[part]
        return lacking >= size, lacking_of_stratum if lacking >= size else relative, relative


def _strata_for(wanted: Sequence[int], groups: int) -> int:
    """Return as many strata as the smallest part has groups, so that it gets one of each."""
    smallest = min(share for share in wanted if share > 0) / max(1, sum(wanted))
    return min(_MOST_STRATA, max(3, int(smallest * groups)))


def _strata(groups: Mapping[str, Sequence[float]], names: Sequence[str], strata: int) -> list[int]:
    """Divide the groups into strata that hold about as many cases each, by their mean value."""
    means = [sum(groups[name]) / len(groups[name]) for name in names]
    order = sorted(range(len(names)), key=lambda index: (means[index], names[index]))
    total = sum(len(values) for values in groups.values())
    stratum = [0] * len(names)
    before = 0
    for index in order:
        size = len(groups[names[index]])
        stratum[index] = min(strata - 1, int(strata * (before + size / 2) / total))
        before += size
    return stratum
