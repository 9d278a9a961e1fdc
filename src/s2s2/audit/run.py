"""Audit of a stack: every copy measured, marked and summarised; resumable by case."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from s2s2.audit.config import AuditConfig
from s2s2.audit.features import Features
from s2s2.audit.measure import Workbench
from s2s2.audit.reference import RealImages
from s2s2.audit.result import CASES, COPIES, RECORD, SHEETS, Audit
from s2s2.audit.rules import Part, Rules, parts_of
from s2s2.audit.segmenters import Segmenters
from s2s2.audit.sheets import write_sheets
from s2s2.audit.summary import Findings, summarise
from s2s2.audit.tables import DIGITS, cases_table, copies_table
from s2s2.audit.verdict import verdict
from s2s2.core.progress import Progress
from s2s2.core.records import Record, file_identity
from s2s2.core.software import versions
from s2s2.core.storage import claimed, storage_errors, whole_files
from s2s2.core.tables import write_table
from s2s2.data.dataset import Dataset
from s2s2.data.identity import contents
from s2s2.data.split import Split
from s2s2.errors import AuditError
from s2s2.networks import network_inputs
from s2s2.stack import Stack
from s2s2.stack.marks import MAPS, REASONS, Marks, disagreement_path, merged
from s2s2.stack.store import case_path

_NOT_WHAT_IS_FOUND = ("jobs", "batch")


def run_audit(
    stack: Stack,
    dataset: Dataset,
    split: Split,
    *,
    config: AuditConfig | None = None,
    segmenters: Segmenters | None = None,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    real: RealImages | None = None,
) -> Audit:
    """Judge every copy of a stack, mark those that must not be trained on, and say what was found.

    It writes into the folder `audit` of the stack: audit.json, copies.csv, cases.csv,
    marks.json, maps of disagreement of unfaithful copies, and picture sheets. An audit that was
    interrupted goes on at the next case; one that is finished returns at once.

    Args:
        stack: The stack.
        dataset: All cases, on the stack's working grid.
        split: The split that the stack was built for; its training cases alone are read.
        config: Settings.
        segmenters: Cross-fitted on the training cases; None trains them first.
        folder: Where these are kept; None: in the audit's folder.
        progress: Called with the work done, the work in all, and a few words.
        real: What an earlier audit measured of the real images: audits of several stacks
            that are handed one measure them once.

    Raises:
        AuditError: If all training cases are of one group.
        StackError: If the stack does not belong to the split, or is not whole.
        SplitError: If the split does not belong to the data set.
        StorageError: If a file cannot be written, or another process audits this stack.
    """
    config, report = config or AuditConfig(), progress or (lambda done, total, words: None)
    stack.check_against(dataset, split)
    train = dataset.subset(split.train)
    output = stack.path / "audit"
    if segmenters is None:
        segmenters = Segmenters.fit(train, Path(folder or output / "segmenters"), config, progress)
    record = Record(output / RECORD, _inputs(stack, train, segmenters, config), error=AuditError)
    if not (record.holds() and stack.has_marks):
        with storage_errors(output), claimed(output):
            if not (record.holds() and stack.has_marks):
                record.forget()
                _audit(stack, train, segmenters, config, record, report, real or RealImages())
    return Audit.load(output)


def _audit(
    stack: Stack,
    train: Dataset,
    segmenters: Segmenters,
    config: AuditConfig,
    record: Record,
    report: Progress,
    real: RealImages,
) -> None:
    """Measure, mark and write; the record last."""
    output, parts = stack.path / "audit", parts_of(stack)
    size = min(config.size, train.size or config.size)
    features = Features(train.channels, size, config.batch)
    reference = real.measured(train, segmenters, features, config, report)
    rules = Rules.fit(reference, config)
    bench = Workbench(
        stack,
        train,
        segmenters,
        features,
        reference,
        size=size,
        folder=output / "parts",
        inputs=record.inputs,
    )
    measured, marks = [], {}
    for index, case_id in enumerate(train.ids):
        measured.append(bench.measured(case_id))
        marks[case_id] = rules.marks(measured[-1], float(reference.expected[index]), parts)
        report(index + 1, len(train), "judging copies")
    findings = Findings(
        reference,
        measured,
        merged([stack.faults, marks]),
        [reference.scatter(index, config.neighbours) for index in range(len(train))],
        rules,
        train.class_map.names[1:],
    )
    _write_maps(bench, findings.marks)
    stack.write_marks(marks)
    write_sheets(bench, findings)
    write_table(copies_table(findings, parts), output / COPIES, float_format=DIGITS)
    write_table(cases_table(findings), output / CASES, float_format=DIGITS)
    content = _content(stack, findings, parts, config)
    drawn = [*whole_files(output / SHEETS, "*.jpg"), *whole_files(output / MAPS, "*.tif")]
    record.finish(content, [output / COPIES, output / CASES, *drawn])
    shutil.rmtree(output / "parts", ignore_errors=True)


def _content(
    stack: Stack, findings: Findings, parts: Mapping[str, Part], config: AuditConfig
) -> dict[str, Any]:
    """Return what the record says was found."""
    reference, marks = findings.reference, findings.marks
    reasons = [reason for copies in marks.values() for found in copies.values() for reason in found]
    manifest = stack.manifest
    record: dict[str, Any] = {
        "stack": {
            "generator": manifest["generator"]["name"],
            "depth": stack.depth,
            "seed": manifest["seed"],
            "size": stack.size,
            "channels": stack.channels,
            "cases": len(reference.ids),
            "copies": len(reference.ids) * stack.depth,
        },
        "groups": len(set(reference.groups)),
        "classes": list(findings.classes),
        "thresholds": findings.rules.to_dict(),
        "power": round(findings.rules.power(reference), 6),
        "marks": {
            **{reason: reasons.count(reason) for reason in REASONS},
            "copies": sum(map(len, marks.values())),
            "cases_without_copies": sum(len(copies) == stack.depth for copies in marks.values()),
        },
        **summarise(findings, parts, config),
    }
    return {
        **record,
        "verdict": verdict(record),
        "config": {**asdict(config), "network": network_inputs(config.network)},
        "software": versions("torch", "monai", "lightning"),
    }


def _write_maps(bench: Workbench, marks: Marks) -> None:
    """Write where unfaithful copies disagree with their masks, and remove the maps of other cases."""
    for case_id in bench.train.ids:
        copies = marks.get(case_id, {})
        numbers = [number for number, reasons in copies.items() if "unfaithful" in reasons]
        if numbers:
            bench.stack.write_disagreement(case_id, bench.disagreement(case_id, numbers))
        else:
            with suppress(FileNotFoundError):
                disagreement_path(bench.stack.path, case_id).unlink()


def _inputs(stack: Stack, train: Dataset, segmenters: Segmenters, config: AuditConfig) -> dict[str, Any]:
    """Return all that an audit depends on by name, the bytes of the copies among it."""
    return {
        "stack": stack.recipe,
        "parts": stack.parts,
        "depth": stack.depth,
        "copies": {case_id: file_identity(case_path(stack.path, case_id)) for case_id in train.ids},
        "train": train.ids,
        "files": contents(train),
        "groups": [case.group for case in train],
        "class_map": train.class_map.to_dict(),
        "judges": segmenters.digest,
        "config": {name: value for name, value in asdict(config).items() if name not in _NOT_WHAT_IS_FOUND},
    }
