"""The result in words: what was shown, where, by how much, and what could not be shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from s2s2.arms import arm_of
from s2s2.report.numbers import count, joined, plain, signed
from s2s2.report.verdict import Difference, Word, find_difference
from s2s2.report.volumes.words import Nouns
from s2s2.run.choice import arm_to_use
from s2s2.run.results import Results

FEW_GROUPS = 20
"""Below this number of groups a bootstrap interval is likely too narrow."""
FEW_SEEDS = 5
"""Below this number of seeds too: in simulations 3 seeds covered 86 to 93 % instead of 95 %."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What was found on one domain.

    Args:
        domain: Where.
        home: Whether the networks were trained there.
        word: What is supported; None where nothing was compared.
        text: The finding with its numbers.
    """

    domain: str
    home: bool
    word: Word | None
    text: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The top of the report.

    Args:
        title: The finding in one line.
        claims: Numbers for every domain, those away from home first.
        control: What the control arms say about the cause; empty without one.
        basis: Cases, groups and seeds that the numbers rest on.
        use: Which arm's networks to use, and why; empty where one arm was trained.
    """

    title: str
    claims: tuple[Claim, ...]
    control: str
    basis: str
    use: str = ""


def headline(run: Results, nouns: Nouns | None = None) -> Headline:
    """Say what the comparisons support, and no more than that.

    A difference is called supported when its 95 % interval excludes zero and the
    Holm-corrected p value, where there is one, lies below 0.05.

    Args:
        run: The results of a run.
        nouns: What its cases and groups are called.
    """
    domains = run.away or run.domains
    found = _differences(run, domains, run.reference)
    if not found:
        return _alone(run, domains)
    home = [] if run.home in domains or run.home is None else _differences(run, (run.home,), run.reference)
    return Headline(
        title=_title(run, found),
        claims=tuple(
            Claim(row.domain, row.domain == run.home, row.word, _sentence(row)) for row in [*found, *home]
        ),
        control=_control(run, domains),
        basis=_basis(run, found, nouns or Nouns()),
        use=advice(run),
    )


def advice(run: Results) -> str:
    """Say which arm's networks to use, chosen without any image of another site; "" where there is no choice.

    Args:
        run: The results of a run.
    """
    choice = arm_to_use(run)
    if choice is None or len(choice.dice) < 2:
        return ""
    others = ", ".join(f"{arm} {plain(dice)}" for arm, dice in choice.dice.items() if arm != choice.arm)
    styled = run.config is None or run.config.train.stressed > 0
    how = ", as they are and in strong random styles," if styled else ""
    verb = "are" if len(choice.close) > 1 else "is"
    close = f" {joined(list(choice.close))} {verb} about as good." if choice.close else ""
    return (
        f"Use the networks of {choice.arm}. On the validation images of home{how} their Dice is "
        f"{plain(choice.dice[choice.arm])} ({others}); no image of another site had a say.{close}"
    )


def setting(run: Results) -> str:
    """Say in one sentence what was trained where, and what it was tested on.

    Args:
        run: The results of a run.
    """
    trained = f"trained on labelled images of {run.home}" if run.home else "trained"
    ways = f" in {len(run.arms)} ways, called arms," if len(run.arms) > 1 else ""
    subject = "The same network was" if ways else "A network was"
    if run.away and run.home:
        domains = _domains(list(run.away), len(run.away))
        return f"{subject} {trained}{ways} and tested on images of {domains}, of which it had seen none."
    return f"{subject} {trained}{ways} and tested on images that it had not seen."


def _differences(run: Results, domains: Sequence[str], reference: str | None) -> list[Difference]:
    if reference is None:
        return []
    rows = (find_difference(run, domain, run.main, reference) for domain in domains)
    return [row for row in rows if row is not None]


def _title(run: Results, found: list[Difference]) -> str:
    if len(found) == 1:
        return _single_title(run, found[0])
    names = {word: [row.domain for row in found if row.word == word] for word in ("better", "worse")}
    claims = [f"{word} on {_domains(domains, len(found))}" for word, domains in names.items() if domains]
    if not claims:
        return f"On {len(found)} domains, no difference between {run.main} and {run.reference} could be shown"
    settled = sum(len(domains) for domains in names.values())
    if settled == len(found) and len(claims) == 1:
        every = "both" if len(found) == 2 else f"all {len(found)}"
        away = " away from home" if run.away else ""
        return f"{run.main} is {claims[0].split()[0]} than {run.reference} on {every} domains{away}"
    rest = _domains([row.domain for row in found if row.word not in names], len(found))
    tail = f"; on {rest} no difference could be shown" if rest else ""
    return f"Against {run.reference}, {run.main} is {joined(claims)}{tail}"


def _domains(domains: list[str], total: int) -> str:
    # A title of more than five names is no title.
    return joined(domains) if total <= 5 or not domains else f"{len(domains)} of {total} domains"


def _single_title(run: Results, row: Difference) -> str:
    place = row.domain if run.away else f"{row.domain} (at home)"
    if row.word in ("better", "worse"):
        return f"On {place}, {run.main} is {row.word} than {run.reference}: Dice {signed(row.value)}"
    if row.word == "open":
        return f"On {place}, no difference between {run.main} and {run.reference} could be shown"
    side = row.word.removeprefix("leans ")
    return f"On {place}, {run.main} may be {side} than {run.reference}, but the proof is not enough"


def _sentence(row: Difference) -> str:
    numbers = f"Dice {_means(row)}, a difference of {row.figures}"
    if row.word == "open":
        if not math.isfinite(row.low):
            return f"No difference could be shown. {numbers}."
        return f"No difference could be shown. {numbers}: zero lies within the interval."
    if row.word in ("better", "worse"):
        return f"{row.arm} is {row.word}. {numbers}."
    side = row.word.removeprefix("leans ")
    return (
        f"{row.arm} may be {side}, but the proof is not enough. {numbers}: the interval excludes zero, the "
        f"test corrected for many comparisons does not (p = {row.p_holm:.2f})."
    )


def _means(row: Difference) -> str:
    if not math.isfinite(row.mean_arm) or not math.isfinite(row.mean_reference):
        return f"of {row.arm} minus {row.reference}"
    return f"{plain(row.mean_reference)} with {row.reference} and {plain(row.mean_arm)} with {row.arm}"


def _control(run: Results, domains: Sequence[str]) -> str:
    sentences = []
    for control, note in arm_of(run.main).controls.items():
        found = [] if control == run.reference else _differences(run, domains, control)
        if found:
            parts = [f"{row.domain} {row.figures}, {_PHRASE[row.word]}" for row in found]
            sentences.append(f"{note} {run.main} minus {control}: {'; '.join(parts)}.")
    return " ".join(sentences)


_PHRASE: dict[Word, str] = {
    "better": "better",
    "worse": "worse",
    "open": "no difference could be shown",
    "leans better": "leans better, not proven",
    "leans worse": "leans worse, not proven",
}


def _basis(run: Results, found: list[Difference], nouns: Nouns) -> str:
    seeds = len(run.seeds)
    cases = sum(row.cases or 0 for row in found)
    groups = sum(row.groups or 0 for row in found)
    where = " away from home" if run.away else ""
    rest = f"Measured on {nouns.sized(cases, groups)}{where}, " if cases and groups else ""
    few = _few_groups(found, nouns)
    if seeds > 1:
        narrow = (
            " So few seeds say little of how much trainings differ: the interval is likely too narrow."
            if seeds < FEW_SEEDS
            else ""
        )
        return f"{rest}{count(seeds, 'seed')} an arm, every arm on the same {nouns.case}s.{narrow}{few}"
    return (
        f"{rest}one seed an arm, every arm on the same {nouns.case}s. One training an arm: the intervals "
        f"hold the chance of which {nouns.case}s were tested, not that of the training itself.{few}"
    )


def _few_groups(found: list[Difference], nouns: Nouns) -> str:
    # Field and Welsh: the percentile interval over clusters covers too little when they are few.
    few = [row.domain for row in found if row.groups is not None and row.groups < FEW_GROUPS]
    if not few:
        return ""
    below = f"fewer than {FEW_GROUPS} {nouns.group}s"
    return f" Of {joined(few)} there are {below}, so the interval is likely too narrow."


def _alone(run: Results, domains: Sequence[str]) -> Headline:
    claims = []
    for domain in dict.fromkeys([*domains, *run.domains]):
        mean = run.mean(domain, run.main)
        if mean is not None:
            text = (
                f"Mean Dice {plain(float(mean['mean']))}{_spread(float(mean['low']), float(mean['high']))}."
            )
            claims.append(Claim(domain, domain == run.home, None, text))
    missing = "no comparison was computed" if len(run.arms) > 1 else "no other arm was trained"
    return Headline(
        title=f"What {run.main} reaches on {_domains(list(domains), len(domains))}",
        claims=tuple(claims),
        control="",
        basis=f"Nothing can be said about a gain: {missing}.",
    )


def _spread(low: float, high: float) -> str:
    if not math.isfinite(low) or not math.isfinite(high):
        return ""
    return f" (95\N{NO-BREAK SPACE}% interval {plain(low)} to {plain(high)})"
