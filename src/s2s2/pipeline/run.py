"""The whole story, stage by stage; what is done and whole is not done again."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from s2s2.arms import get_arm, reference_of
from s2s2.core.records import Record
from s2s2.core.software import versions
from s2s2.core.storage import read_json, write_json
from s2s2.core.timing import duration
from s2s2.data.checking.duplicates import between_sites
from s2s2.data.checking.inspection import inspect
from s2s2.data.identity import identities
from s2s2.data.split import Split
from s2s2.errors import ConfigError, DataError
from s2s2.pipeline.estimate import planned_split, training_jobs, training_seconds
from s2s2.pipeline.reporter import Reporter, Silent
from s2s2.pipeline.stacks import Stacks, build_generators, counting, generator_of, outlook, stack_folders
from s2s2.pipeline.trainings import Training, run_trainings
from s2s2.run.config import RunConfig
from s2s2.run.folder import RunData, Workspace, open_data
from s2s2.run.settings import load_config, plain, save_config
from s2s2.stack import Stack
from s2s2.training.data_module import images_per_step
from s2s2.training.fitting import is_finished

LONG_S = 3600.0
"""From here on a run without a GPU is told of a quicker one, in seconds."""


@dataclass
class Run:
    """One run of the whole path.

    Args:
        config: Its settings.
        reporter: Is told what happens.
        command: The command line, for the record.
    """

    config: RunConfig
    reporter: Reporter = field(default_factory=Silent)
    command: str = ""

    def __post_init__(self) -> None:
        """Open the data, which finds most mistakes at once."""
        self.space = Workspace(self.config.output)
        self.timings: dict[str, float] = {}

    def execute(self) -> Path:
        """Run every stage that is not done yet, and return the report.

        Raises:
            S2S2Error: At the first thing that the user must mend; all that was made stays
                and is used when the same command is given again.
        """
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._refuse_another_run()
        # A mistyped generator must not be found after the check, nor claim the folder.
        build_generators(self.config)
        with self._stage("check", "is the data fit to learn from?"):
            data = open_data(self.config)
            self._check(data)
        with self._stage("split", "train, validation and test, by group"):
            split = self._split(data)
            save_config(self.config)
        stacks = Stacks(self.config, data.home.resized(self.config.size), split, self.reporter)
        self._stacks(stacks)
        with self._stage("train", self._outlook(data, split)):
            self._train(data, split)
        with self._stage("compare", "paired differences with intervals"):
            self._compare(list(data.tests(split)))
        with self._stage("report", "one page"):
            manifest = self._manifest(data, split, started)
            self._report(data, split, stacks.tunings(), manifest)
        write_json(self.space.manifest, manifest)
        return self.space.report

    def redraw(self) -> Path:
        """Draw the report of a finished run again."""
        if not self.space.manifest.exists():
            raise ConfigError(
                f"{self.space.root} holds no finished run. Finish it with the same `s2s2 run` command."
            )
        data, split = open_data(self.config), Split.load(self.space.split)
        stacks = Stacks(self.config, data.home.resized(self.config.size), split, self.reporter)
        self._report(data, split, stacks.tunings(), read_json(self.space.manifest))
        return self.space.report

    def _refuse_another_run(self) -> None:
        """Refuse to mix two runs in one folder; more arms, seeds or targets are welcome."""
        if not self.space.split.exists():
            return
        before = load_config(self.space.root)
        for name in ("data", "size", "split", "classes", "channels", "groups"):
            if getattr(before, name) != getattr(self.config, name):
                raise ConfigError(
                    f"{self.space.root} holds a run with {name} = {getattr(before, name)}, and now it is "
                    f"{getattr(self.config, name)}. Nothing was changed. Give another --output."
                )

    @contextmanager
    def _stage(self, title: str, detail: str) -> Iterator[None]:
        self.reporter.stage(title, detail)
        begin = time.monotonic()
        yield
        self.timings[title] = round(time.monotonic() - begin, 2)

    def _check(self, data: RunData) -> None:
        digests: dict[str, dict[str, str]] = {}
        for number, (path, dataset) in enumerate(data.sources):
            name = f"{number}-{dataset.domain}"
            record = Record(
                self.space.stamp(f"check-{name}"),
                {"cases": identities(dataset), "class_map": data.home.class_map.to_dict()},
            )
            if record.holds():
                digests[dataset.domain] = read_json(self.space.check(name))["digests"]
                continue
            findings = inspect(
                path,
                class_map=data.home.class_map,
                groups=self.config.groups,
                channels=data.home.channels,
                progress=counting(self.reporter.task(f"check {dataset.domain}"), "cases"),
            )
            digests[dataset.domain] = dict(findings.digests)
            write_json(self.space.check(name), {**findings.to_dict(), "digests": dict(findings.digests)})
            if not findings.ok:
                faults = [problem for problem in findings.problems if problem.level == "error"]
                raise DataError(
                    f"{path} has {len(faults)} faults that would break training or testing; the first: "
                    f"{faults[0].message} See them all with `s2s2 check {path}`."
                )
            record.finish(outputs=[self.space.check(name)])
        for shared in between_sites(digests):
            raise DataError(
                f"{shared.subject}: {shared.message} Nothing was trained. Remove one of the two files."
            )

    def _split(self, data: RunData) -> Split:
        split = planned_split(self.config, data)
        split.check(data.home)
        split.save(self.space.split)
        return split

    def _stacks(self, stacks: Stacks) -> None:
        """Make every stack that the arms need, and judge it."""
        judges = None
        # What cannot be tuned here is found before the judges are trained.
        tunings = [outlook(part, stacks.home, stacks.split) for part in stacks.untuned()]
        if stacks.folders and (self.config.audited or stacks.untuned()):
            with self._stage("judges", "segmenters of the real training images, cross-fitted by group"):
                judges = stacks.judges()
        if stacks.learners():
            with self._stage("tune", "; ".join(tunings) or "done"):
                stacks.tune(judges)
        with self._stage("stack", f"{self.config.stack.depth} synthetic images a training mask"):
            stacks.build()
        if stacks.folders and self.config.audited:
            with self._stage("audit", "do the copies show their masks, are they new, are they diverse?"):
                stacks.audit(judges)

    def _outlook(self, data: RunData, split: Split) -> str:
        """Say what the trainings are, and how long they may take where that is hours."""
        config = self.config
        places = [self.space.training(arm, seed) for arm in config.arms for seed in range(config.seeds)]
        left = sum(not is_finished(place) for place in places)
        words = f"{len(places)} trainings of {config.train.steps} steps, predictions, scores; {left} to do"
        if not left:
            return words
        tests = sum(map(len, data.tests(split).values()))
        seconds = sum(training_seconds(config, data, tests)) * left / len(places)
        words += f"; about {duration(seconds)}"
        if seconds > LONG_S and not torch.cuda.is_available():
            words += ". There is no GPU: --size 128 --train.steps 300 gives a first answer sooner"
        return words

    def _train(self, data: RunData, split: Split) -> None:
        tasks = self._tasks(data, split)
        run_trainings(tasks, training_jobs(self.config), self.reporter)

    def _tasks(self, data: RunData, split: Split) -> list[Training]:
        config = self.config
        folders = stack_folders(config)
        threads = max(1, (os.cpu_count() or 1) // training_jobs(config))
        return [
            Training(
                folder=self.space.training(arm, seed),
                arm=arm,
                seed=seed,
                home=data.home,
                split=split,
                size=config.size,
                stack=folders.get(generator_of(config, arm) or ""),
                tests=data.tests(split),
                network=config.network,
                config=config.train,
                tolerance=config.tolerance,
                threads=threads,
            )
            for seed in range(config.seeds)
            for arm in config.arms
        ]

    def _compare(self, domains: list[str]) -> None:
        import pandas as pd

        from s2s2.core.tables import write_table
        from s2s2.evaluation import read_scores, summarise
        from s2s2.evaluation.compare import compare

        paths = [
            self.space.domain_scores(arm, seed, domain)
            for arm in self.config.arms
            for seed in range(self.config.seeds)
            for domain in domains
        ]
        scores = pd.concat([read_scores(path) for path in paths], ignore_index=True)
        write_table(scores, self.space.scores)
        write_table(summarise(scores), self.space.summary)
        if len(self.config.arms) > 1:
            write_table(compare(scores, baseline=reference_of(self.config.arms)), self.space.comparisons)

    def _report(
        self, data: RunData, split: Split, tunings: dict[str, Path], manifest: dict[str, Any]
    ) -> None:
        from s2s2.report import build_report

        stacks = stack_folders(self.config)
        folders = list(stacks.values())
        # The gallery shows the stack of the plain arms, where there is one.
        shown = stacks.get(self.config.stack.generator, folders[0] if folders else None)
        train = split.training(data.home.resized(self.config.size)).train
        build_report(
            self.space.root,
            data.tests(split),
            Stack.open(shown) if shown is not None else None,
            train,
            manifest,
            self.space.report,
            audits=[folder / "audit" for folder in folders if self.config.audited],
            tunings=tunings,
        )

    def _manifest(self, data: RunData, split: Split, started: str) -> dict[str, Any]:
        train = self.config.train
        return {
            "format": 1,
            "version": version("s2s2"),
            "created": started,
            "command": self.command,
            "home": data.home.domain,
            "away": list(data.away),
            "arms": list(self.config.arms),
            "seeds": list(range(self.config.seeds)),
            "class_names": list(data.home.class_map.names),
            "settings": plain(asdict(self.config)),
            "split": {part: len(getattr(split, part)) for part in ("train", "validation", "test")},
            "images_seen": {
                arm: images_per_step(get_arm(arm), train) * train.steps for arm in self.config.arms
            },
            "as_published": train.as_published,
            "timings": self._longest_timings(),
            "environment": environment(),
            "attributions": list(self.config.attributions),
        }

    def _longest_timings(self) -> dict[str, float]:
        """Seconds of each stage; a call that only found it done does not count."""
        before = read_json(self.space.manifest)["timings"] if self.space.manifest.exists() else {}
        return {stage: max(took, before.get(stage, 0.0)) for stage, took in self.timings.items()}


def environment() -> dict[str, str]:
    """Name the versions and the device that results depend on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or "CPU"
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        **versions("torch", "lightning", "monai", "numpy", "scipy", "pandas", "tifffile"),
    }
