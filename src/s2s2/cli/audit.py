"""`s2s2 audit`: whether a stack can be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from s2s2.audit.config import AuditConfig
from s2s2.cli.command import Command
from s2s2.errors import ConfigError
from s2s2.run.apart import require_outputs_apart
from s2s2.run.options import Reading, SplitFile, Trusting


@dataclass(frozen=True, kw_only=True)
class Options(Command, Trusting, SplitFile, Reading):
    """Say whether a stack can be trusted.

    Segmenters that were trained on the real training images, each on cases of other groups, segment every
    synthetic image. Images that show another mask, copy a real image or are empty are marked, and training
    leaves them out. Also measured are the diversity of the images of a mask, their distance from real
    images, and whether the features of a mask's images scatter less than those of real images, which is
    what the method needs. The audit is written to audit/ in the stack, with a page to read. An interrupted
    audit goes on where it stopped.

    Args:
        stack: Folder from `s2s2 stack`, or stack/ of a run.
        data: Folder or CSV manifest of the real images; the stack of a run knows its own.
        split: A split.json from `s2s2 split`; the stack of a run knows its own.
        audit: How the stack is audited.
    """

    words = ("stack",)

    stack: Path
    data: Path | None = None
    audit: AuditConfig = field(default_factory=AuditConfig)

    def check_paths(self) -> None:
        """Refuse a stack whose audit would be written into the data."""
        require_outputs_apart(self, self.stack / "audit", written=("stack",), name="STACK/audit")


def main(options: Options) -> int:
    """Audit a stack: do its images show their masks, are they new, are they diverse?"""
    from rich.console import Console

    from s2s2.audit import run_audit
    from s2s2.cli.console import TerminalReporter
    from s2s2.report import build_audit_page
    from s2s2.stack import Stack

    stack = Stack.open(options.stack)
    options = _completed(options)
    if options.data is None or options.split is None:
        raise ConfigError(
            f"{options.stack} lies in no run, so its real images are not known. Give --data and --split."
        )
    dataset = options.read(options.data, size=stack.size, channels=stack.channels)
    split = options.training_split(dataset)
    with TerminalReporter() as reporter:
        audit = run_audit(stack, dataset, split, config=options.audit, progress=reporter.task("audit"))
    page = build_audit_page(options.stack, options.stack / "audit" / "audit.html")
    for sentence in audit.verdict:
        Console().print(sentence, highlight=False)
    Console().print(f"\nPage: {page.resolve()}", highlight=False)
    return 0


def _completed(options: Options) -> Options:
    """Take data and split from the run that the stack lies in, where they are not given."""
    from s2s2.run.settings import FILE, load_config

    runs = [folder for folder in options.stack.resolve().parents[:2] if (folder / FILE).exists()]
    if not runs:
        return options
    config = load_config(runs[0])
    return replace(
        options,
        data=options.data or config.data,
        split=options.split or runs[0] / "split.json",
        classes=options.classes or config.classes,
        groups=options.groups or config.groups,
        dataset=options.dataset or config.dataset,
    )
