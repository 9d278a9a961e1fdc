"""The whole path as stages; what is done and whole is not done again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from s2s2.core.progress import Reporter, Silent
from s2s2.core.records import forget_identities, keep_identities, recall_identities
from s2s2.core.storage import ABANDONED_S, claimed, refuse_links, remove_leftovers
from s2s2.core.workers import is_first
from s2s2.errors import ConfigError
from s2s2.pipeline.checking import Check, Divide, require_divided
from s2s2.pipeline.making import AuditStacks, BuildStacks, TrainJudges, Tune
from s2s2.pipeline.results import Compare, Report
from s2s2.pipeline.stacks import build_generators
from s2s2.pipeline.stage import Context, Stage
from s2s2.pipeline.trainings import Train
from s2s2.run.apart import require_outputs_apart
from s2s2.run.config import RunConfig
from s2s2.run.settings import comparable, load_config

STAGES: tuple[Stage, ...] = (
    Check(),
    Divide(),
    TrainJudges(),
    Tune(),
    BuildStacks(),
    AuditStacks(),
    Train(),
    Compare(),
    Report(),
)
"""Every stage of a run, in order."""


@dataclass
class Run:
    """One run of the whole path.

    Args:
        config: Its settings.
        reporter: Receives what happens.
        command: The command line, for the record.
        stages: What is done, in order; a stage of your own may stand among them.
        verify: Whether every file is read, where otherwise one whose size and times are as they were is
            taken to be as it was.

    Raises:
        ConfigError: If a stage comes before one that it needs.
    """

    config: RunConfig
    reporter: Reporter = field(default_factory=Silent)
    command: str = ""
    stages: Sequence[Stage] = STAGES
    verify: bool = False

    def __post_init__(self) -> None:
        """Refuse an order that cannot work."""
        before: set[str] = set()
        for stage in self.stages:
            missing = [name for name in stage.needs if name not in before]
            if missing:
                raise ConfigError(
                    f"Stage {stage.name!r} needs {', '.join(missing)} before it, got the stages "
                    f"{', '.join(each.name for each in self.stages)}. Change their order."
                )
            before.add(stage.name)

    def execute(self) -> Path:
        """Run every stage that is not done yet, and return the report.

        Raises:
            S2S2Error: At the first thing that the user must fix; all that was made stays
                and is used when the same command is given again. Also where another process is at
                work in the folder.
        """
        started = datetime.now(UTC).isoformat(timespec="seconds")
        require_outputs_apart(self.config)
        refuse_links(self.config.output)
        # A mistyped generator must not be found after the check, nor claim the folder.
        build_generators(self.config)
        context = Context(self.config, self.reporter, self.command, started)
        self._refuse_another_run(context)
        # Of several processes that learn together the first claims the folder for all.
        with claimed(self.config.output) if is_first() else nullcontext():
            self._execute(context)
        return context.folder.report

    def _execute(self, context: Context) -> None:
        """Run every stage that is not done yet, as the only one in the folder."""
        remove_leftovers(self.config.output, older_than_s=ABANDONED_S)
        if self.verify:
            forget_identities()
        else:
            recall_identities(context.folder.identities)
        if self.config.split.file is None:
            require_divided(context.folder)
        for stage in self.stages:
            if stage.wanted(context):
                self.reporter.stage(stage.name, stage.detail(context))
                begin = time.monotonic()
                stage.run(context)
                context.timings[stage.name] = round(time.monotonic() - begin, 2)
            if context.folder.divided.path.exists():
                keep_identities(context.folder.identities)

    def _refuse_another_run(self, context: Context) -> None:
        """Refuse to mix two runs in one folder; more arms, seeds or targets are welcome."""
        if not context.folder.split.exists():
            return
        before = load_config(context.folder.root)
        old, new = comparable(before), comparable(self.config)
        for name in ("data", "size", "split", "classes", "channels", "groups"):
            if old[name] != new[name]:
                raise ConfigError(
                    f"{context.folder.root} holds a run with {name} = {getattr(before, name)}, and now it is "
                    f"{getattr(self.config, name)}. Nothing was changed. Give another --output."
                )
        was, now = (each.dataset_of() or "none" for each in (before, self.config))
        if was != now:
            raise ConfigError(
                f"{context.folder.root} holds a run with dataset = {was} for its data, and now it is {now}. "
                "Nothing was changed. Give another --output."
            )
