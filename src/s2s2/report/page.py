"""The report: one self-contained HTML page made from a run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.arms import arm_of
from s2s2.core.storage import write_text
from s2s2.core.timing import duration
from s2s2.report.fairness import fairness
from s2s2.report.figures import curves, forest, scatter
from s2s2.report.gallery import DomainExamples, Panel, StackRow, examples, stack_rows
from s2s2.report.headline import headline, setting
from s2s2.report.methods import CITATION, methods
from s2s2.report.numbers import count
from s2s2.report.pairs import seen_pairs
from s2s2.report.palette import arm_styles
from s2s2.report.reading import Run, read_run
from s2s2.report.rendering import render
from s2s2.report.settings import Settings, flattened
from s2s2.report.sites import data_rows, finding_counts
from s2s2.report.tables import every_difference, every_mean, glance
from s2s2.report.trust import audit_methods, audit_styles, build_audit_section
from s2s2.report.tuning import tunings as tunings_of

if TYPE_CHECKING:
    from s2s2.audit import Audit
    from s2s2.data.dataset import Dataset
    from s2s2.stack import Stack


def build_report(
    run_folder: Path,
    datasets: dict[str, Dataset],
    stack: Stack | None,
    train: Dataset | None,
    manifest: dict[str, Any],
    output: Path,
    *,
    audits: Sequence[Path] = (),
    tunings: Mapping[str, Path] | None = None,
) -> Path:
    """Write the report of a run as one HTML file without any link to a file or a host.

    The statistics are taken from the run's tables as they are. Whatever is missing, a
    second arm, a second domain, a stack, a training history, is left out of the page.

    Args:
        run_folder: As written by ``s2s2 run``; scores.csv must be there.
        datasets: Test cases of each domain on their own grid, home first.
        stack: The stack that was trained on, for its gallery; or None.
        train: The training cases on the working grid, for the same; or None.
        manifest: Facts on the run. Every key is optional: version, created, command,
            home, away, arms, seeds, class_names, settings, images_seen, as_published,
            timings (seconds), environment, attributions.
        output: The HTML file to write.
        audits: Audited stacks, or their folders audit; the page says whether to trust them.
        tunings: Folders of the generators that were tuned, by name.

    Returns:
        The path of the page.

    Raises:
        EvaluationError: If scores.csv is missing or empty, or a tuning cannot be read.
        AuditError: If a stack of `audits` was not audited.
        StorageError: If the page cannot be written.
    """
    from s2s2.audit import Audit

    run, judged = read_run(run_folder, manifest, list(datasets)), [Audit.load(folder) for folder in audits]
    write_text(
        output,
        render(
            "report.html.jinja",
            {
                **_content(run, datasets, stack, train, manifest, judged),
                **_trusts(judged, manifest),
                "tunings": tunings_of(tunings or {}),
            },
        ),
    )
    return Path(output)


def _content(
    run: Run,
    datasets: Mapping[str, Dataset],
    stack: Stack | None,
    train: Dataset | None,
    manifest: Mapping[str, Any],
    audits: Sequence[Audit],
) -> dict[str, Any]:
    styles = arm_styles(run.arms)
    side = _picture_side(len(datasets))
    shown = [examples(run, dataset, domain, side=side) for domain, dataset in datasets.items()]
    learnt = _learnt(run, stack, train, manifest)
    return {
        "run": run,
        "styles": list(styles.values()),
        "headline": headline(run),
        "setting": setting(run),
        "hero": _hero(run, learnt["stack_rows"], shown),
        "glance": glance(run),
        "forest": forest(run, styles),
        "scatter": scatter(run, styles),
        "curves": curves(run, styles, unweighted=_unweighted(manifest)),
        **learnt,
        "stretched": any(dataset.channels != 3 for dataset in datasets.values()),
        "examples": [each for each in shown if each.by_score],
        "fairness": fairness(run, manifest),
        "data_rows": data_rows(run, datasets),
        "findings": {domain: finding_counts(run.folder, domain) for domain in datasets},
        "split": {part: len(cases) for part, cases in run.split.items()},
        "methods": methods(run, manifest) + audit_methods(audits, Settings(manifest).get("train.marked")),
        "citation": CITATION,
        "means": every_mean(run),
        "differences": every_difference(run),
        **_record(manifest),
    }


def _learnt(
    run: Run, stack: Stack | None, train: Dataset | None, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    if stack is None or train is None:
        return {"stack_rows": (), "stack_note": "", "pairs": ()}
    shown = any(arm_of(arm).view == "stack" for arm in run.arms)
    return {
        "stack_rows": stack_rows(train, stack),
        "stack_note": f"{count(len(stack.ids), 'mask')}, {count(stack.depth, 'copy', 'copies')} each",
        "pairs": seen_pairs(train, stack, manifest) if shown else (),
    }


def _trusts(audits: Sequence[Audit], manifest: Mapping[str, Any]) -> dict[str, Any]:
    styles = audit_styles(audits)
    marked = Settings(manifest).get("train.marked")
    return {
        "trusts": [build_audit_section(audit, styles, marked=marked) for audit in audits],
        "part_styles": list(styles.values()) if audits else [],
    }


def _record(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": manifest.get("version", ""),
        "created": str(manifest.get("created", "")).replace("T", " ")[:16],
        "command": manifest.get("command", ""),
        "settings": {name: _text(value) for name, value in Settings(manifest).flat.items()},
        "timings": {stage: duration(float(each)) for stage, each in (manifest.get("timings") or {}).items()},
        "environment": {
            name: _text(value) for name, value in flattened(manifest.get("environment") or {}).items()
        },
        "attributions": [str(line) for line in manifest.get("attributions") or ()],
    }


def _unweighted(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    settings = Settings(manifest)
    weights = {"synthetic": "w_syn", "encoder": "alpha_enc", "decoder": "alpha_dec"}
    return tuple(term for term, name in weights.items() if settings.get(name) == 0)


def _text(value: Any) -> str:
    if value is None or value == () or value == []:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) for each in value)
    # A report travels: a folder's name is enough, the way to it is the author's own.
    path = Path(str(value))
    return path.name if path.is_absolute() else str(value)


def _picture_side(domains: int) -> int:
    # Keeps a page of many domains below 3 MB.
    return 288 if domains <= 4 else 224 if domains <= 8 else 144


def _hero(run: Run, rows: tuple[StackRow, ...], shown: list[DomainExamples]) -> list[tuple[str, Panel]]:
    """Return the method in four pictures: a case, a copy, and the median case away in both arms."""
    strip: list[tuple[str, Panel]] = []
    if rows and len(rows[0].panels) > 2:
        row = rows[-1]
        strip += [
            ("A labelled image from home", row.panels[0]),
            ("A synthetic copy of the same mask", row.panels[2]),
        ]
    places = [each for each in shown if each.domain in (run.away or run.domains) and each.by_gain]
    if places:
        middle = places[0].by_gain[min(1, len(places[0].by_gain) - 1)]
        strip += [
            (f"{arm} on {places[0].domain}", panel)
            for arm, panel in zip((run.reference, run.main), middle.panels, strict=True)
        ]
    return strip if len(strip) == 4 else []
