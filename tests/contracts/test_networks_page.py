"""The table of docs/networks.md says what the networks are. Run as a program, this writes it."""

from __future__ import annotations

from s2s2.networks import BUILT_IN, BuiltIn, NetworkConfig, taps
from s2s2.networks.measure import count_parameters
from tests.contracts.made_table import MadeTable

PAGE = MadeTable("networks.md", "test_networks_page")


def table() -> str:
    head = [
        "| name | what | parameters | encoder taps | decoder taps | pretrained weights, their licence |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *map(_row, BUILT_IN.values())]) + "\n"


def _row(network: BuiltIn) -> str:
    config = NetworkConfig(network.name).untrained()
    sides = [", ".join(f"`{tap}`" for tap in side) for side in taps(config)]
    parameters = f"{count_parameters(config) / 1e6:.2f} M"
    what = f"{network.summary} ({network.reference})"
    cells = (f"`{network.name}`", what, parameters, *sides, f"{network.weights}; {network.licence}")
    return f"| {' | '.join(cells)} |"


def test_the_page_shows_the_networks() -> None:
    assert PAGE.shown == table(), "write it with: python -m tests.contracts.test_networks_page"


if __name__ == "__main__":
    PAGE.write(table())
