"""Run every benchmark, print one line each, and write benchmarks/results.json."""

from __future__ import annotations

import json
import platform
from importlib import import_module
from pathlib import Path

NAMES = (
    "startup",
    "generators",
    "stack",
    "pairs",
    "live",
    "training_step",
    "prediction",
    "volumes",
    "metrics",
    "sampling",
    "tuning",
)


def main() -> None:
    """Run all, in a fixed order."""
    results = []
    for name in NAMES:
        for row in import_module(f"benchmarks.{name}").run():
            verdict = {True: "reached", False: "not reached", None: ""}[row["reached"]]
            goal = "no goal" if row["goal"] is None else f"goal {row['goal']:.3g}"
            print(f"{row['name']:<66} {row['figure']:>9.3g} {row['unit']:<15} {goal:<9} {verdict}")
            results.append(row)
    machine = {"system": f"{platform.system()} {platform.machine()}", "python": platform.python_version()}
    path = Path(__file__).parent / "results.json"
    path.write_text(json.dumps({"format": 1, "machine": machine, "results": results}, indent=1) + "\n")
    print(f"written to {path.name}")


if __name__ == "__main__":
    main()
