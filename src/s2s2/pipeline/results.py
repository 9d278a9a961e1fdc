"""Comparing the arms of a run, and drawing its report."""

from __future__ import annotations

import platform
from importlib.metadata import version

import torch

from s2s2.arms import get_arm, reference_of
from s2s2.core.records import Record, file_identity
from s2s2.core.software import OPENCV, versions
from s2s2.core.tables import write_table
from s2s2.data.reading.manifest import PARTS
from s2s2.pipeline.stage import Context, Row, Stage
from s2s2.run.folder import RunManifest
from s2s2.training.data_module import images_per_step

_COMPARE_S, _REPORT_S = 5.0, 10.0


class Compare(Stage):
    """Puts all scores into one table and compares the arms."""

    name = "compare"
    words = "paired differences with intervals"
    needs = ("train",)

    def run(self, context: Context) -> None:
        """Write scores, summary and comparisons."""
        import pandas as pd

        from s2s2.evaluation import read_scores, summarise
        from s2s2.evaluation.compare import compare

        folder, config = context.folder, context.config
        paths = [
            folder.training(arm, seed).scores(domain)
            for arm in config.arms
            for seed in range(config.seeds)
            for domain in context.tests
        ]
        tables = [folder.scores, folder.summary]
        tables += [folder.comparisons] if len(config.arms) > 1 else []
        inputs = {
            "scores": {path.relative_to(folder.root).as_posix(): file_identity(path) for path in paths},
            "arms": config.arms,
            "version": version("s2s2"),
        }
        record = Record(folder.root / ".compare.done.json", inputs)
        if record.holds() and all(str(path.name) in record.content()["outputs"] for path in tables):
            return
        record.forget()
        scores = pd.concat([read_scores(path) for path in paths], ignore_index=True)
        write_table(scores, folder.scores)
        write_table(summarise(scores), folder.summary)
        if len(config.arms) > 1:
            write_table(compare(scores, baseline=reference_of(config.arms)), folder.comparisons)
        record.finish(outputs=tables)

    def estimate(self, context: Context) -> list[Row]:
        """Name what takes the time."""
        return [Row(self.name, "bootstrap over groups and seeds", _COMPARE_S)]


class Report(Stage):
    """Records the run and draws its page."""

    name = "report"
    words = "one page"
    needs = ("compare",)

    def run(self, context: Context) -> None:
        """Write run.json and report.html."""
        from s2s2.report import build_report

        folder, record = context.folder, context.folder.reported
        manifest = self._manifest(context)
        record.forget()
        manifest.save(folder.manifest)
        record.finish(outputs=[folder.manifest])
        build_report(folder)

    def _manifest(self, context: Context) -> RunManifest:
        config, data = context.config, context.data
        before = context.folder.read_manifest().timings if context.folder.reported.is_finished else {}
        return RunManifest(
            version=version("s2s2"),
            created=context.started,
            command=context.command,
            home=data.home.domain,
            away=tuple(data.away),
            class_names=data.home.class_map.names,
            split={part: len(getattr(context.split, part)) for part in PARTS},
            images_seen={
                arm: images_per_step(get_arm(arm), config.train) * config.train.steps for arm in config.arms
            },
            tunings={
                part.folder.name: context.folder.below(part.folder)
                for part in context.stacks.learners()
                if part.folder
            },
            # A call that only found a stage done does not count.
            timings={stage: max(took, before.get(stage, 0.0)) for stage, took in context.timings.items()},
            environment=environment(),
        )

    def estimate(self, context: Context) -> list[Row]:
        """Name the page."""
        return [Row(self.name, str(context.folder.report), _REPORT_S)]


def environment() -> dict[str, str]:
    """Name the versions and the device that results depend on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or "CPU"
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "device": device,
        **versions(
            "torch", "lightning", "monai", "numpy", "scipy", "pandas", "tifffile", "imagecodecs", OPENCV
        ),
    }
