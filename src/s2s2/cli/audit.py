"""`s2s2 audit`."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import Namespace

from s2s2.cli.console import TerminalReporter
from s2s2.cli.options import add_data_options, new_parser, open_dataset
from s2s2.errors import ConfigError


def main(arguments: list[str]) -> int:
    """Judge a stack: do its copies show their masks, are they new, are they diverse?"""
    from s2s2.audit import AuditConfig

    parser = new_parser(
        "audit",
        "STACK [--data DATA --split split.json] [options]",
        "Say whether a stack can be trusted. Segmenters trained on the real training images, none of which "
        "judges a group it has seen, read every copy; copies that show another mask, copy a real image or "
        "are empty are marked, and training leaves them out. Also measured: how diverse the copies of a mask "
        "are, how far from real images, and whether the features of a mask's copies scatter less than those "
        "of real images, which is what the method needs. Writes audit/ into the stack, with a page to read. "
        "Interrupted, it goes on where it stood.",
    )
    parser.add_argument("stack", type=Path, help="From `s2s2 stack`, or stack/ of a run.")
    parser.add_argument("--data", type=Path, help="Folder or CSV manifest; a run's stack knows its own.")
    parser.add_argument("--split", type=Path, help="From `s2s2 split`; a run's stack knows its own.")
    add_data_options(parser)
    parser.add_class_arguments(AuditConfig, "audit")
    options = parser.instantiate(parser.parse_args(arguments))

    from rich.console import Console

    from s2s2.audit import run_audit
    from s2s2.data.split import Split
    from s2s2.report import build_audit_page
    from s2s2.stack import Stack

    stack = Stack.open(options.stack)
    _complete(options)
    dataset = open_dataset(options, options.data, size=stack.size, channels=stack.channels)
    split = Split.load(options.split)
    with TerminalReporter() as reporter:
        audit = run_audit(stack, dataset, split, config=options.audit, progress=reporter.task("audit"))
    page = build_audit_page(options.stack, options.stack / "audit" / "audit.html")
    for sentence in audit.verdict:
        Console().print(sentence, highlight=False)
    Console().print(f"\nPage: {page.resolve()}", highlight=False)
    return 0


def _complete(options: Namespace) -> None:
    """Take data and split from the run that the stack lies in, where they are not given."""
    from s2s2.pipeline import load_config
    from s2s2.run.settings import FILE

    runs = [folder for folder in options.stack.resolve().parents[:2] if (folder / FILE).exists()]
    if runs:
        config = load_config(runs[0])
        options.data = options.data or config.data
        options.split = options.split or runs[0] / "split.json"
        options.classes = options.classes or config.classes
        options.groups = options.groups or config.groups
    if options.data is None or options.split is None:
        raise ConfigError(
            f"{options.stack} lies in no run, so it does not know its images. Give --data and --split."
        )
