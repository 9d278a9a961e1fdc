"""Checking the data of a run, and dividing the home cases."""

from __future__ import annotations

from s2s2.core.progress import counting
from s2s2.core.records import Record
from s2s2.data.checking.duplicates import between_sites
from s2s2.data.checking.inspection import inspect
from s2s2.data.checking.report import CheckReport
from s2s2.data.identity import identities
from s2s2.data.reading.manifest import PARTS
from s2s2.errors import DataError
from s2s2.pipeline.stage import Context, Row, Stage
from s2s2.run.data import Source
from s2s2.run.settings import save_config

_CASE_S = 0.01
"""Seconds that checking a case takes, about."""


class Check(Stage):
    """Checks every source of data; data with errors stop the run."""

    name = "check"
    words = "is the data fit to learn from?"

    def run(self, context: Context) -> None:
        """Check what has changed since the last check.

        Raises:
            DataError: If a source has errors, or two sources share an image.
        """
        digests = {
            source.dataset.domain: self._check(context, source).digests for source in context.data.sources
        }
        for shared in between_sites(digests):
            raise DataError(
                f"{shared.subject}: {shared.message} Nothing was trained. Remove one of the two files."
            )

    def _check(self, context: Context, source: Source) -> CheckReport:
        folder, home = context.folder, context.data.home
        inputs = {"cases": identities(source.dataset), "class_map": home.class_map.to_dict()}
        record = Record(folder.checked(source), inputs)
        if record.holds() and (before := folder.read_check(source)) is not None:
            return before
        findings = inspect(
            source.path,
            class_map=home.class_map,
            groups=context.config.groups,
            channels=home.channels,
            progress=counting(context.reporter.task(f"check {source.dataset.domain}"), "cases"),
        )
        folder.write_check(source, findings)
        if not findings.ok:
            raise DataError(
                f"{source.path} has {len(findings.errors)} faults that would break training or testing; the "
                f"first: {findings.errors[0].message} See them all with `s2s2 check {source.path}`."
            )
        record.finish(outputs=[folder.check(source)])
        return findings

    def estimate(self, context: Context) -> list[Row]:
        """Count the cases."""
        cases = sum(map(len, [context.data.home, *context.data.away.values()]))
        return [Row(self.name, f"{cases} cases", _CASE_S * cases)]


class Divide(Stage):
    """Divides the home cases by group; from here on the folder belongs to this run."""

    name = "split"
    words = "train, validation and test, by group"
    needs = ("check",)

    def run(self, context: Context) -> None:
        """Save the division and the settings.

        Raises:
            SplitError: If the division does not fit the data.
        """
        context.split.check(context.data.home)
        context.split.save(context.folder.split)
        save_config(context.config)

    def estimate(self, context: Context) -> list[Row]:
        """Count the cases of each part."""
        parts = ", ".join(f"{len(getattr(context.split, part))} {part}" for part in PARTS)
        return [Row(self.name, parts, 0.0)]
