"""Making the stacks of a run: judges, tuning, synthetic images, audit."""

from __future__ import annotations

from dataclasses import replace

from s2s2.core.progress import Progress, counting
from s2s2.core.workers import default_jobs
from s2s2.pipeline.stage import Context, Row, Stage
from s2s2.pipeline.timing import copy_seconds, network_seconds
from s2s2.run.names import without_options
from s2s2.training.config import TrainConfig

_AUDITED_S = 0.05
"""Seconds that judging a copy takes on one core, about; little beside the rest."""


class TrainJudges(Stage):
    """Trains the segmenters that judge samples and copies."""

    name = "judges"
    words = "segmenters of the real training images, cross-fitted by group"
    needs = ("split",)

    def wanted(self, context: Context) -> bool:
        """Whether there is anything to be judged."""
        stacks = context.stacks
        return bool(stacks.folders and (context.config.audited or stacks.untuned()))

    def detail(self, context: Context) -> str:
        """Ask first what the tunings take: what cannot be tuned on this machine is found now."""
        _ = context.stacks.outlooks
        return self.words

    def run(self, context: Context) -> None:
        """Train those that are missing."""
        from s2s2.audit import Segmenters

        train = context.stacks.home.subset(context.split.train)
        progress = context.reporter.task(self.name)
        context.judges = Segmenters.fit(train, context.folder.judges, context.config.audit, progress)

    def estimate(self, context: Context) -> list[Row]:
        """Time a training step of a segmenter."""
        audit = context.config.audit
        judged = replace(
            context.config,
            network=audit.network,
            size=min(audit.size, context.config.size),
            train=TrainConfig(images_per_step=audit.images_per_step),
        )
        step, _ = network_seconds(judged, context.data.home)
        words = f"{audit.folds} segmenters of {audit.steps} steps, cross-fitted by group"
        jobs = audit.jobs or default_jobs(audit.folds)
        return [Row(self.name, words, audit.folds * audit.steps * step / jobs)]


class Tune(Stage):
    """Tunes the generators that learn."""

    name = "tune"
    needs = ("judges",)

    def wanted(self, context: Context) -> bool:
        """Whether a generator learns."""
        return bool(context.stacks.learners())

    def detail(self, context: Context) -> str:
        """Say what each tuning takes."""
        return "; ".join(context.stacks.outlooks) or "done"

    def run(self, context: Context) -> None:
        """Tune what is not tuned yet."""
        stacks = context.stacks
        for part in stacks.untuned():
            progress = context.reporter.task(f"tune {part.name}")
            part.tune(stacks.home, stacks.split, judge=context.judges, progress=progress)

    def estimate(self, context: Context) -> list[Row]:
        """Ask each generator what its tuning takes."""
        stacks = context.stacks
        images = f"{len(stacks.split.train)} training images"
        return [
            Row(self.name, f"{part.name} on {images}", part.cost(stacks.home, stacks.split).tuning_s)
            for part in stacks.untuned()
        ]


class BuildStacks(Stage):
    """Makes the synthetic images of every stack."""

    name = "stack"
    needs = ("split",)

    def detail(self, context: Context) -> str:
        """Say how many images are made."""
        settings = context.config.stack
        live = ", and a new one for every visit while training" if settings.depth == "live" else ""
        return f"{settings.stored} synthetic images per training mask{live}"

    def run(self, context: Context) -> None:
        """Make what is missing."""
        from s2s2.stack import build_stack

        settings, stacks = context.config.stack, context.stacks
        for spec, folder in stacks.folders.items():
            build_stack(
                stacks.generators[spec],
                stacks.home,
                stacks.split,
                folder,
                depth=settings.stored,
                seed=settings.seed,
                bits=settings.bits,
                jobs=stacks.jobs(stacks.generators[spec]),
                progress=counting(_task(context, self.name, spec), "masks"),
            )

    def estimate(self, context: Context) -> list[Row]:
        """Time a copy of each generator."""
        stacks, settings = context.stacks, context.config.stack
        if not stacks.folders:
            return [Row(self.name, "not needed", 0.0)]
        rows, copies = [], len(stacks.split.train) * settings.stored
        for spec, generator in stacks.generators.items():
            took = copy_seconds(generator, stacks.home, stacks.split, settings.seed) / stacks.jobs(generator)
            words = f"{copies} synthetic images ({without_options(spec)})"
            rows.append(Row(self.name, words, copies * took))
        return rows


class AuditStacks(Stage):
    """Judges every copy of every stack."""

    name = "audit"
    words = "do the copies show their masks, are they new, are they diverse?"
    needs = ("judges", "stack")

    def wanted(self, context: Context) -> bool:
        """Whether there is a stack that is to be audited."""
        return bool(context.stacks.folders) and context.config.audited

    def run(self, context: Context) -> None:
        """Audit what was not audited yet."""
        from s2s2.audit import RealImages, run_audit
        from s2s2.stack import Stack

        real, stacks = RealImages(), context.stacks
        for spec, folder in stacks.folders.items():
            run_audit(
                Stack.open(folder),
                stacks.home,
                stacks.split,
                config=context.config.audit,
                segmenters=context.judges,
                progress=_task(context, self.name, spec),
                real=real,
            )

    def estimate(self, context: Context) -> list[Row]:
        """Count the copies."""
        stacks = context.stacks
        copies = len(stacks.split.train) * context.config.stack.stored * len(stacks.folders)
        return [Row(self.name, f"{copies} synthetic images", copies * _AUDITED_S)]


def _task(context: Context, verb: str, spec: str) -> Progress:
    """Begin a task on one of the stacks."""
    many = len(context.stacks.folders) > 1
    return context.reporter.task(f"{verb} {without_options(spec)}" if many else verb)
