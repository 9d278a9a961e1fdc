"""Checking the data of a run, and dividing the home cases."""

from __future__ import annotations

from s2s2.arms import get_arm
from s2s2.core.progress import counting
from s2s2.core.records import Record, keep_identities
from s2s2.data.checking.advice import advise
from s2s2.data.checking.duplicates import between_sites
from s2s2.data.checking.inspection import inspect
from s2s2.data.checking.report import CheckReport
from s2s2.data.foreground import absent_classes
from s2s2.data.grid import padded_side
from s2s2.data.identity import identities
from s2s2.data.reading.manifest import PARTS
from s2s2.data.split import Split
from s2s2.errors import DataError, SplitError
from s2s2.networks import build_network
from s2s2.pipeline.renewal import renew
from s2s2.pipeline.stage import Context, Row, Stage
from s2s2.run.data import Source
from s2s2.run.folder import RunFolder
from s2s2.run.settings import save_config
from s2s2.training.fitting import is_finished
from s2s2.training.rehearsal import rehearse

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
            NetworkError: If the network cannot be trained on them.
        """
        digests = {
            source.dataset.domain: self._check(context, source).digests for source in context.data.sources
        }
        for shared in between_sites(digests):
            raise DataError(
                f"{shared.subject}: {shared.message} Nothing was trained. Remove one of the two files."
            )
        if not all(is_finished(context.folder.training(*each).root) for each in context.trainings):
            rehearse_arms(context)

    def _check(self, context: Context, source: Source) -> CheckReport:
        folder, class_map = context.folder, source.dataset.class_map
        inputs = {"cases": identities(source.dataset), "class_map": class_map.to_dict()}
        record = Record(folder.checked(source), inputs)
        if record.holds() and (before := folder.read_check(source)) is not None:
            return before
        record.forget()
        findings = inspect(
            source.path,
            class_map=class_map,
            groups=context.config.groups,
            channels=context.data.home.channels,
            volumes=context.config.volumes,
            dataset=context.config.dataset_of(source.number),
            progress=counting(context.reporter.task(f"check {source.dataset.domain}"), "cases"),
        )
        folder.write_check(source, findings)
        if not findings.ok:
            raise DataError(
                f"{source.path} has {len(findings.errors)} faults that would break training or testing; the "
                f"first: {findings.errors[0].message} See them all with `s2s2 check {source.path}`."
            )
        record.finish(outputs=[folder.check(source)])
        if reading := findings.summary["mask_reading"]:
            context.reporter.stage("masks", f"{source.dataset.domain}: {reading}")
        if volumes := findings.summary["volumes"]:
            said = "; ".join(volumes[name] for name in ("plane", "intensities", "cache"))
            context.reporter.stage("volumes", f"{source.dataset.domain}: {said}")
        if findings.warnings:
            rules = ", ".join(dict.fromkeys(problem.rule for problem in findings.warnings))
            words = (
                f"{source.path} needs a second look ({rules}): `s2s2 check {source.path}` says where and why."
            )
            context.reporter.stage("warning", words)
        return findings

    def estimate(self, context: Context) -> list[Row]:
        """Count the cases, and try the network with which what follows is timed."""
        rehearse_arms(context)
        cases = sum(map(len, [context.data.home, *context.data.away.values()]))
        return [Row(self.name, f"{cases} cases", _CASE_S * cases)]


def rehearse_arms(context: Context) -> None:
    """Load the network's weights and try every kind of training, hours before their turn comes.

    Raises:
        NetworkError: If the network cannot be built with its weights, or cannot be trained.
        ConfigError: If the images of a step are no whole number of cases in an arm.
    """
    config, home = context.config, context.data.home
    build_network(config.network, channels=home.channels, classes=len(home.class_map))
    arms = [get_arm(arm) for arm, _ in context.trainings]
    for arm in {(each.pairs, each.consistency, each.slaug): each for each in arms}.values():
        rehearse(
            config.network,
            config.train,
            arm,
            channels=home.channels,
            classes=len(home.class_map),
            side=config.train.patch or padded_side(config.size),
        )


def _save(split: Split, folder: RunFolder) -> None:
    """Save the division of a run, which stays what it was from the first call on.

    Raises:
        SplitError: If it is another one.
    """
    record = folder.divided
    before = {} if record.is_unreadable else record.content()
    if before and folder.split.exists() and Split.load(folder.split) != split:
        raise SplitError(
            f"{folder.split} is the division that this run was made with, and the one that is asked for is "
            "another. Nothing was changed. Give the same --split.file, or another --output."
        )
    split.save(folder.split)
    if before:
        require_divided(folder)
    else:
        record.finish(outputs=[folder.split])


def require_divided(folder: RunFolder) -> None:
    """Refuse a division that is not the one that all else in the run was made with.

    Raises:
        SplitError: If split.json is not as the run left it; a missing one is made again.
    """
    if folder.split.exists() and not folder.divided.is_unreadable:
        folder.divided.require_whole(
            "The networks of this run were trained and chosen by the division that it held. Restore the "
            "file, or run again with another --output."
        )


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
        home = context.data.home
        context.split.check(home)
        context.split.check_foreground(home)
        if (findings := context.folder.read_check(context.data.sources[0])) is not None:
            context.split.keep_together(findings.copies)  # in files of different bytes too
        if not context.folder.split.exists():
            if context.config.split.file is None and (fold := context.config.split.fold_of(home)):
                context.reporter.stage("split", str(fold))
            for part in PARTS:
                for sentence in absent_classes(home.subset(getattr(context.split, part)), part):
                    context.reporter.stage("warning", sentence)
            if stacks := context.folder.stacks(context.config):
                for sentence in advise(home.subset(context.split.train), context.data.away, stacks):
                    context.reporter.stage("advice", sentence)
        renew(context)
        keep_identities(context.folder.identities)
        # The settings first: a call that is killed between the two would leave a division of no run.
        save_config(context.config)
        _save(context.split, context.folder)

    def estimate(self, context: Context) -> list[Row]:
        """Count the cases of each part."""
        parts = ", ".join(f"{len(getattr(context.split, part))} {part}" for part in PARTS)
        return [Row(self.name, parts, 0.0)]
