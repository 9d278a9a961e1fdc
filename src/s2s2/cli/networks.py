"""`s2s2 networks`: networks that go by a name."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from s2s2.cli.command import Command
from s2s2.errors import ConfigError

if TYPE_CHECKING:
    from s2s2.networks import BuiltIn


@dataclass(frozen=True, kw_only=True)
class Options(Command):
    """List the networks that go by a name, or say all about one of them.

    Any other `nn.Module` is trained by its import path, such as `--network.name monai.networks.nets.UNet`.
    The time is that of one image in evaluation mode on this machine, with random weights.

    Args:
        name: The network to describe. Without it, all are listed.
        timed: Height and width of the image that is timed, in pixels, a multiple of 32; 0 measures no time.
        json: Print the descriptions as JSON.
    """

    words = ("name",)

    name: str | None = None
    timed: int = 224
    json: bool = False

    def __post_init__(self) -> None:
        """Refuse a size that networks do not take."""
        if self.timed < 0 or self.timed % 32:
            raise ConfigError(f"--timed must be a multiple of 32, or 0, got {self.timed}.")


def main(options: Options) -> int:
    """List networks, or describe one."""
    from s2s2.networks import BUILT_IN

    if options.name is not None and options.name not in BUILT_IN:
        raise ConfigError(
            f"There is no network named {options.name!r}. Choose from {', '.join(BUILT_IN)}; any other goes "
            "by its import path."
        )
    chosen = [each for each in BUILT_IN.values() if options.name in (None, each.name)]
    found = _measured(chosen, options)
    if options.json:
        sys.stdout.write(json.dumps(found if options.name is None else found[0], indent=1) + "\n")
    elif options.name is None:
        _list(found, options.timed)
    else:
        _describe(found[0], options.timed)
    return 0


def _measured(networks: list[BuiltIn], options: Options) -> list[dict[str, Any]]:
    """Return what is known of each network, with its parameters and its time."""
    from s2s2.cli.console import TerminalReporter
    from s2s2.networks import NetworkConfig, build_network, taps
    from s2s2.networks.measure import count_parameters, seconds_per_image

    rows = []
    with TerminalReporter() as reporter:
        progress = reporter.task("measure")
        for done, each in enumerate(networks):
            progress(done, len(networks), each.name)
            config = NetworkConfig(each.name).untrained()
            encoder, decoder = taps(config)
            row = asdict(each) | {"encoder_taps": encoder, "decoder_taps": decoder}
            row |= {"parameters": count_parameters(config), "seconds": None}
            if options.timed:
                network = build_network(config, channels=3, classes=2)
                row["seconds"] = seconds_per_image(network, channels=3, size=options.timed)
            rows.append(row)
        progress(len(networks), len(networks), "")
    return rows


def _list(rows: list[dict[str, Any]], size: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("name", no_wrap=True)
    for head in ("what it is", "size", f"{size} px here", "licence of its weights"):
        table.add_column(head)
    for row in rows:
        cells = (row["name"], row["summary"], _millions(row), _milliseconds(row), row["licence"])
        table.add_row(*map(Text, cells))
    console = Console()
    console.print(table)
    console.print("Size: parameters. `s2s2 networks NAME` says all of one: taps, weights, use.", markup=False)


def _describe(row: dict[str, Any], size: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(row["name"], "bold"), title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, text in _facts(row, size):
        table.add_row(name, Text(text))
    Console().print(table)


def _facts(row: dict[str, Any], size: int) -> Iterator[tuple[str, str]]:
    yield "what", row["summary"]
    yield "paper", row["reference"]
    yield "parameters", _millions(row)
    yield f"{size} px here", _milliseconds(row)
    yield "encoder taps", "\n".join(row["encoder_taps"])
    yield "decoder taps", "\n".join(row["decoder_taps"])
    inside = "they come with a package" if row["inside"] else "give them by --network.weights"
    yield "weights", f"{row['weights']} ({row['licence']}); {inside}"
    start = "" if row["inside"] else " --network.weights FOLDER_OR_HUB_ID"
    yield "use it", f"s2s2 run --data HOME --target AWAY --output RUN --network.name {row['name']}{start}"


def _millions(row: dict[str, Any]) -> str:
    return f"{row['parameters'] / 1e6:.1f} M"


def _milliseconds(row: dict[str, Any]) -> str:
    return "not measured" if row["seconds"] is None else f"{1000 * row['seconds']:.0f} ms"
