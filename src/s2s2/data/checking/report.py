"""Report of a data check: problems and summary, as tables to read and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from s2s2.data.checking.survey import Surveyed
from s2s2.data.classes import ClassMap
from s2s2.data.problems import Problem
from s2s2.data.reading.mask_sets import describe
from s2s2.data.reading.mask_values import texts_of

_SHOWN = 3
_NAMED = 8


@dataclass(frozen=True)
class CheckReport:
    """The findings about a data set.

    Args:
        root: The folder or manifest that was checked.
        problems: Everything that is wrong, errors first.
        summary: The data set in numbers, see `summarise`.
        digests: Hash of the pixels of each image that can be read, by case id.
    """

    root: Path
    problems: tuple[Problem, ...]
    summary: Mapping[str, Any]
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that would break training."""
        return tuple(problem for problem in self.problems if problem.level == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that need a second look."""
        return tuple(problem for problem in self.problems if problem.level == "warning")

    @property
    def copies(self) -> list[list[str]]:
        """The ids of cases whose images have equal pixels."""
        alike: dict[str, list[str]] = {}
        for case_id, digest in self.digests.items():
            alike.setdefault(digest, []).append(case_id)
        return [same for same in alike.values() if len(same) > 1]

    @property
    def ok(self) -> bool:
        """Whether nothing was found that would break training."""
        return not self.errors

    def to_dict(self) -> dict[str, Any]:
        """Return problems and summary as plain lists and mappings, for JSON."""
        return {
            "path": str(self.root),
            "ok": self.ok,
            "summary": dict(self.summary),
            "problems": [asdict(problem) for problem in self.problems],
        }

    def render(self, console: Console) -> None:
        """Print the summary, the classes and the problems as tables."""
        console.print(Text(f"Data set {self.root}", "bold"))
        console.print(self._overview())
        if self.summary["classes"]:
            console.print(self._class_table("*" if console.options.ascii_only else "\u25a0"))
        if self.problems:
            console.print(self._problem_table())
        console.print(self._verdict())

    def _overview(self) -> Table:
        table = Table(show_header=False, box=None)
        table.add_column(style="dim")
        table.add_column()
        for name, text in self._facts():
            table.add_row(name, Text(text))
        return table

    def _facts(self) -> Iterator[tuple[str, str]]:
        numbers = self.summary
        yield "cases", f"{numbers['cases']}, {numbers['masks']} with a mask"
        yield "groups", str(numbers["groups"])
        if volumes := numbers.get("volumes"):
            yield "volumes", f"{volumes['count']}, of which the cases are the slices ({volumes['plane']})"
            yield "intensities", volumes["intensities"]
            yield "spacing", volumes["spacing"]
            yield "slices", volumes["cache"]
        yield "domain", ", ".join(numbers["domains"])
        sizes = list(numbers["sizes"].items())
        more = f", {len(sizes) - _SHOWN} more" if len(sizes) > _SHOWN else ""
        yield "height x width", ", ".join(f"{size} ({count})" for size, count in sizes[:_SHOWN]) + more
        yield "channels", ", ".join(f"{key} ({count})" for key, count in numbers["channels"].items())
        if numbers["mask_reading"]:
            yield "masks read", numbers["mask_reading"]
        yield "bits", ", ".join(f"{key} ({count})" for key, count in numbers["bits"].items())

    def _class_table(self, mark: str) -> Table:
        class_map = ClassMap.from_dict(self.summary["class_map"])
        soft = ", soft edges are cut at one half" if class_map.soft else ""
        table = Table(title=f"Class map{soft}", title_justify="left")
        for name in ("id", "class", "values", "pixels", "cases"):
            table.add_column(name, justify="left" if name in ("class", "values") else "right")
        for entry, colour in zip(self.summary["classes"], class_map.colours, strict=True):
            label = Text.assemble((f"{mark} ", "rgb({},{},{})".format(*colour)), entry["name"])
            values = texts_of(class_map.values[entry["id"]]).replace(",", ", ")
            table.add_row(str(entry["id"]), label, values, f"{entry['pixel_share']:.2%}", str(entry["cases"]))
        return table

    def _problem_table(self) -> Table:
        by_rule: dict[tuple[str, str], list[Problem]] = {}
        for problem in self.problems:
            by_rule.setdefault((problem.level, problem.rule), []).append(problem)
        table = Table(title="Problems", title_justify="left", show_lines=True)
        for name in ("level", "rule", "number", "where and what to do"):
            table.add_column(name, justify="right" if name == "number" else "left")
        for (level, rule), problems in by_rule.items():
            lines = [self._line(problem) for problem in problems[:_SHOWN]]
            if len(problems) > _SHOWN:
                lines.append(f"... and {len(problems) - _SHOWN} more")
            style = "bold red" if level == "error" else "yellow"
            table.add_row(Text(level, style), rule, str(len(problems)), Text("\n".join(lines)))
        return table

    def _line(self, problem: Problem) -> str:
        said = problem.subject == str(self.root) or problem.message.startswith(problem.subject)
        return (problem.message if said else str(problem)).replace(f"{self.root}/", "")

    def _verdict(self) -> str:
        errors, warnings = len(self.errors), len(self.warnings)
        also = f" {warnings} warning{'s' * (warnings != 1)} to check." if warnings else ""
        if self.ok:
            return f"[bold green]Nothing here would break training.[/]{also}"
        return f"[bold red]{errors} error{'s' * (errors != 1)} would break training.[/]{also}"


def summarise(surveyed: Sequence[Surveyed], class_map: ClassMap | None) -> dict[str, Any]:
    """Count cases, groups, domains, sizes, channels, bits and classes.

    Returns:
        A mapping that can be written as JSON. `sizes` counts images by "height x
        width"; `classes` has one entry a class: id, name, values, pixel_share (of all
        mask pixels, 0 to 1) and cases (in how many masks it occurs).
    """
    cases = [one.case for one in surveyed]
    heads = [one.header for one in surveyed if one.header is not None]
    digests = [one.digest for one in surveyed if one.digest is not None]
    return {
        "cases": len(cases),
        "groups": len({case.group for case in cases}),
        "domains": dict(Counter(case.domain for case in cases)),
        "masks": sum(case.mask_path is not None for case in cases),
        "sizes": dict(Counter(f"{head.shape[0]} x {head.shape[1]}" for head in heads).most_common()),
        "channels": {str(key): count for key, count in Counter(head.channels for head in heads).items()},
        "bits": {str(key): count for key, count in Counter(head.bits for head in heads).items()},
        "equal_images": len(digests) - len(set(digests)),
        "mask_reading": _mask_reading(surveyed, class_map),
        "class_map": class_map.to_dict() if class_map is not None else None,
        "classes": _classes(surveyed, class_map) if class_map is not None else [],
    }


def _mask_reading(surveyed: Sequence[Surveyed], class_map: ClassMap | None) -> str:
    """Say how many masks are read in which way, and what their values mean; "" where there are none."""
    levels = [one.levels for one in surveyed if one.levels is not None]
    read = describe(levels, class_map.palettes if class_map is not None else None)
    if class_map is None or not read:
        return read
    listed = list(zip(class_map.values, class_map.names, strict=True))
    meanings = ", ".join(f"{texts_of(values)} {name}" for values, name in listed[:_NAMED])
    return f"{read}: {meanings}{', ...' if len(listed) > _NAMED else ''}"


def _classes(surveyed: Sequence[Surveyed], class_map: ClassMap) -> list[dict[str, Any]]:
    pixels = np.zeros(len(class_map))
    occurs = np.zeros(len(class_map), int)
    for one in surveyed:
        share = class_map.share(one.levels) if one.levels is not None else None
        if share is not None and one.levels is not None:
            pixels += share * sum(one.levels.counts.values())
            occurs += share > 0
    shares = pixels / max(1.0, float(pixels.sum()))
    listed = class_map.to_dict()["classes"]
    return [
        {"id": index, **listed[index], "pixel_share": float(shares[index]), "cases": int(occurs[index])}
        for index in range(len(class_map))
    ]
