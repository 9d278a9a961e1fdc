"""The report: one self-contained HTML page made from a run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.arms import arm_of
from s2s2.core.inputs import flattened
from s2s2.core.storage import refuse_links, write_text
from s2s2.core.timing import duration
from s2s2.data.catalogue.info import describe_dataset, known_datasets
from s2s2.data.checking.advice import advise
from s2s2.report.collapse import empty_terms
from s2s2.report.elements import Panel, render
from s2s2.report.figures import curves, forest
from s2s2.report.gallery import DomainExamples, StackRow, examples, stack_rows
from s2s2.report.headline import headline, setting
from s2s2.report.methods import CITATION, methods
from s2s2.report.numbers import count
from s2s2.report.pairs import seen_pairs
from s2s2.report.palette import arm_styles, generator_styles
from s2s2.report.scatter import scatter
from s2s2.report.setup import data_rows, fairness, parts
from s2s2.report.tables import every_difference, every_mean, glance
from s2s2.report.trust.section import audit_methods, build_audit_section
from s2s2.report.tuning import tunings
from s2s2.report.volumes.choice import MOST_STOPS
from s2s2.report.volumes.words import nouns_of, volume_rows
from s2s2.run.data import open_data
from s2s2.run.folder import RunFolder
from s2s2.run.results import Results
from s2s2.run.settings import plain

if TYPE_CHECKING:
    from s2s2.audit import Audit
    from s2s2.data.checking.report import CheckReport
    from s2s2.data.dataset import Dataset
    from s2s2.stack import Stack


def build_report(run: RunFolder | Path) -> Path:
    """Write the report of a run as one HTML file without any link to a file or a host.

    The statistics are taken from the run's tables as they are. Whatever is missing, a
    second arm, a second domain, a stack, a training history, is left out of the page;
    without the run's settings so is all that needs its data.

    Args:
        run: As written by ``s2s2 run``; scores.csv must be there.

    Returns:
        The path of the page, report.html in the folder.

    Raises:
        EvaluationError: If scores.csv is missing or empty, or a tuning cannot be read.
        AuditError: If an audit of a stack cannot be read.
        ConfigError: If the settings or the record of the run cannot be read.
        DataError: If the data that the settings name cannot be opened.
        StorageError: If the page cannot be written.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(Path(run))
    refuse_links(folder.root)
    results = Results.read(folder)
    write_text(folder.report, render("report.html.jinja", _content(results, _material(results))))
    return folder.report


@dataclass(frozen=True)
class _Material:
    """What the page shows beside tables: data, the stack that was learnt from, and audits.

    Args:
        tests: Test cases of each domain on their own grid, home first.
        checks: What the check of each domain's source found.
        home: All cases of home on their own grid.
        train: The training cases on the working grid.
        stack: The stack of the plain arms, or the first.
        audits: Of every stack that was audited.
    """

    tests: Mapping[str, Dataset]
    checks: Mapping[str, CheckReport | None]
    home: Dataset | None
    train: Dataset | None
    stack: Stack | None
    audits: Sequence[Audit]


def _material(run: Results) -> _Material:
    if run.config is None or run.split is None:
        return _Material({}, {}, None, None, None, ())
    from s2s2.audit import Audit
    from s2s2.stack import Stack

    data, stacks = open_data(run.config), run.folder.stacks(run.config)
    tests = data.tests(run.split)
    made = [folder for folder in stacks.values() if folder.is_dir()]
    shown = stacks.get(run.config.stack.generator)
    return _Material(
        tests=tests,
        checks={domain: run.folder.read_check(data.source_of(domain)) for domain in tests},
        home=data.home,
        train=run.split.training(data.home.resized(run.config.size)).train,
        stack=Stack.open(shown if shown in made else made[0]) if made else None,
        audits=[Audit.load(folder) for folder in made if (folder / "audit").is_dir()],
    )


def _content(run: Results, material: _Material) -> dict[str, Any]:
    styles = arm_styles(run.arms)
    side = _picture_side(len(material.tests))
    most = _stops(len(material.tests))
    shown = [
        examples(run, dataset, domain, side=side, most=most) for domain, dataset in material.tests.items()
    ]
    nouns = nouns_of(material.tests.values())
    divided = parts(material.home, run.split)
    learnt = _learnt(run, material)
    marked = None if run.config is None else run.config.train.marked
    return {
        "run": run,
        "styles": list(styles.values()),
        "headline": headline(run, nouns),
        "setting": setting(run),
        "hero": _hero(run, learnt["stack_rows"], shown),
        "glance": glance(run, nouns),
        "forest": forest(run, styles),
        "scatter": scatter(run, styles, nouns),
        "curves": curves(run, styles, unweighted=_unweighted(run)),
        "empty_terms": empty_terms(run, unweighted=_unweighted(run)),
        **learnt,
        "nouns": nouns,
        "sliced": any(each.viewers for each in shown),
        "stretched": any(_is_stretched(dataset) for dataset in material.tests.values()),
        "examples": [each for each in shown if each.by_score],
        "fairness": fairness(run),
        "parts": divided,
        "data_rows": data_rows(run, material.tests, material.checks),
        "volume_rows": volume_rows(material.checks, run.home),
        "advice": _advice(run, material),
        "methods": methods(run, parts=divided, nouns=nouns) + audit_methods(material.audits, marked),
        "citation": CITATION,
        "means": every_mean(run),
        "differences": every_difference(run),
        "tunings": tunings(run.folder.tunings()),
        **_trusts(material.audits, marked),
        **_record(run),
    }


def _learnt(run: Results, material: _Material) -> dict[str, Any]:
    stack, train = material.stack, material.train
    if stack is None or train is None or run.config is None:
        return {"stack_rows": (), "stack_note": "", "pairs": ()}
    shown = any(arm_of(arm).view == "stack" and arm_of(arm).pairs for arm in run.arms)
    return {
        "stack_rows": stack_rows(train, stack),
        "stack_note": f"{count(len(stack.ids), 'mask')}, {count(stack.depth, 'copy', 'copies')} each",
        "pairs": seen_pairs(train, stack, run.config.train, run.seeds[0]) if shown else (),
    }


def _trusts(audits: Sequence[Audit], marked: str | None) -> dict[str, Any]:
    styles = generator_styles([part for audit in audits for part in audit.record["parts"]])
    return {
        "trusts": [build_audit_section(audit, styles, marked=marked) for audit in audits],
        "part_styles": list(styles.values()) if audits else [],
    }


def _advice(run: Results, material: _Material) -> tuple[str, ...]:
    if material.train is None or run.config is None or not (stacks := run.folder.stacks(run.config)):
        return ()
    away = {domain: dataset for domain, dataset in material.tests.items() if domain != run.home}
    return advise(material.train, away, stacks)


def _record(run: Results) -> dict[str, Any]:
    manifest = run.manifest
    settings = {} if run.config is None else flattened(plain(asdict(run.config)))
    return {
        "version": manifest.version,
        "created": manifest.created.replace("T", " ")[:16],
        "command": manifest.command,
        "settings": {name: _text(value) for name, value in settings.items()},
        "timings": {stage: duration(seconds) for stage, seconds in manifest.timings.items()},
        "environment": dict(manifest.environment),
        "attributions": _attributions(run),
    }


def _attributions(run: Results) -> list[str]:
    """Return what the foot of the page cites: what the settings say, and the public data sets."""
    if run.config is None:
        return []
    names = [run.config.dataset_of(number) for number in range(1 + len(run.config.target))]
    public = dict.fromkeys(name.partition("/")[0] for name in names if name is not None)
    infos = [describe_dataset(name) for name in public if name in known_datasets()]
    cited = [f"{info.title}: {info.citation}. Licence: {info.licence}." for info in infos]
    return [*run.config.attributions, *cited]


def _unweighted(run: Results) -> list[str]:
    if run.config is None:
        return []
    train = run.config.train
    weights = {"synthetic": train.w_syn, "encoder": train.alpha_enc, "decoder": train.alpha_dec}
    return [term for term, weight in weights.items() if weight == 0]


def _text(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    # A report travels: a folder's name is enough, the way to it is the author's own.
    path = Path(str(value))
    return path.name if path.is_absolute() else str(value)


def _picture_side(domains: int) -> int:
    # Keeps a page of many domains below 3 MB.
    return 288 if domains <= 4 else 224 if domains <= 8 else 144


def _stops(domains: int) -> int:
    """Return how many slices of a volume are gone through: of many domains fewer, for the page's size."""
    return max(4, min(MOST_STOPS, 2 * MOST_STOPS // max(1, domains)))


def _is_stretched(dataset: Dataset) -> bool:
    return dataset.channels != 3 and any(volume.is_flat for volume in dataset.volumes)


def _hero(run: Results, rows: tuple[StackRow, ...], shown: list[DomainExamples]) -> list[tuple[str, Panel]]:
    """Return the method in four pictures: a case, a copy, and the median case away in both arms."""
    strip: list[tuple[str, Panel]] = []
    if rows and len(rows[0].panels) > 2:
        row = rows[-1]
        strip += [
            ("A labelled image from home", row.panels[0]),
            ("A synthetic copy of the same mask", row.panels[-1]),
        ]
    away = [each for each in shown if each.domain in (run.away or run.domains) and each.by_gain]
    if away:
        middle = away[0].by_gain[min(1, len(away[0].by_gain) - 1)]
        where = f", {middle.views[0].words.partition(',')[0]}" if middle.views[0].words else ""
        strip += [
            (f"{arm} on {away[0].domain}{where}", panel)
            for arm, panel in zip((run.reference, run.main), middle.panels, strict=True)
        ]
    return strip if len(strip) == 4 else []
