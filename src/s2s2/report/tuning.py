"""How a learnt generator was tuned: its loss, the agreement of its samples, and the samples themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s2s2.core.storage import read_json, whole_files
from s2s2.core.tables import read_frame
from s2s2.errors import EvaluationError
from s2s2.report.elements import Sheet
from s2s2.report.figures import CurvePanel, line_chart
from s2s2.report.numbers import count, plain, thousands
from s2s2.report.palette import ArmStyle

if TYPE_CHECKING:
    import pandas as pd

RECORD = "tuned.json"
"""What a tuning says of itself."""

# A run names the folder of a tuning by its generator and a digest of its settings.
_TAIL = re.compile(r"-[0-9a-f]{8}(?=$|,)")
# A chart holds one line, so it needs no colour of its own.
_STYLE = ArmStyle("", "", "circle", "", "", "--accent")


@dataclass(frozen=True, slots=True)
class Tuning:
    """One tuned generator.

    Args:
        name: Of the generator.
        words: What was tuned on what, for how long, and what was kept.
        curves: Loss and agreement over the steps.
        samples: The last grid of samples, None where none was drawn.
    """

    name: str
    words: str
    curves: tuple[CurvePanel, ...]
    samples: Sheet | None


def tunings(folders: Mapping[str, Path]) -> tuple[Tuning, ...]:
    """Read how generators were tuned.

    A folder may hold tunings in folders below it, as the parts of a mixture or the two
    networks of a latent model do; each that has a record is shown.

    Args:
        folders: Where each generator was tuned, by its name.

    Raises:
        EvaluationError: If a history or a record cannot be read.
    """
    found: dict[str, Path] = {}
    for name, folder in folders.items():
        for path in sorted(Path(folder).rglob(RECORD)):
            below = path.parent.relative_to(folder).as_posix()
            found[name if below == "." else f"{name}, {below}"] = path.parent
    short = [_TAIL.sub("", name) for name in found]
    names = short if len(set(short)) == len(short) else list(found)
    return tuple(_tuning(name, folder) for name, folder in zip(names, found.values(), strict=True))


def _tuning(name: str, folder: Path) -> Tuning:
    history, record = _history(folder / "history.csv"), read_json(folder / RECORD, error=EvaluationError)
    kept = _kept(history, record)
    curves = [
        CurvePanel(title, hint, _curve(history, column, f"{title} of {name} over the steps", kept))
        for column, title, hint in (
            ("loss", "Loss", "lower is better"),
            ("agreement", "Agreement of the samples", "Dice by segmenters that never saw the group"),
        )
        if column in history and history[column].notna().any()
    ]
    return Tuning(name, _words(record, history, kept), tuple(curves), _samples(folder, name))


def _history(path: Path) -> pd.DataFrame:
    import pandas as pd

    empty = pd.DataFrame({"step": []})
    if not path.is_file():
        return empty
    advice = "Take the generator's folder as `s2s2 tune` left it."
    table = read_frame(path, (), error=EvaluationError, advice=advice)
    return table if "step" in table else empty


def _kept(history: pd.DataFrame, record: Mapping[str, Any]) -> int | None:
    """Return the step whose weights were kept, None where nothing was judged."""
    if "agreement" not in history or not history["agreement"].notna().any():
        return None
    kept = record.get("kept_step")
    best = history.sort_values("agreement", ascending=False, kind="stable")["step"].to_numpy()
    return int(kept or best[0])


def _words(record: Mapping[str, Any], history: pd.DataFrame, kept: int | None) -> str:
    steps = int(record.get("steps") or (history["step"].max() if len(history) else 0))
    cases = record.get("inputs", {}).get("data", {}).get("train")
    on = f" on {count(len(cases), 'training case')} and no other" if isinstance(cases, list) else ""
    done = "Tuned for" if record.get("finished") else "Not finished yet, tuned for"
    sentence = f"{done} {count(steps, 'step')}{on}."
    if kept is None:
        return f"{sentence} No samples were judged, so the last weights were kept."
    agreement = float(history.loc[history["step"] == kept, "agreement"].max())
    figure = f" (Dice {plain(agreement)})" if math.isfinite(agreement) else ""
    why = f"by the agreement of their samples{figure}"
    return f"{sentence} Kept were the weights of step {thousands(kept)}, {why}."


def _curve(history: pd.DataFrame, column: str, label: str, kept: int | None) -> str:
    rows = history[["step", column]].dropna().assign(arm="", seed=0)
    chosen = rows[rows["step"] == kept] if column == "agreement" else rows[:0]
    point = None if chosen.empty else (float(kept or 0), float(chosen[column].iloc[0]))
    return line_chart(rows, column, {"": _STYLE}, label, point=point)


def _samples(folder: Path, name: str) -> Sheet | None:
    found = whole_files(folder / "samples", "step-*.jpg")
    if not found:
        return None
    step = int("".join(filter(str.isdigit, found[-1].stem)) or 0)
    return Sheet.read(
        found[-1],
        alt=f"Samples of {name} after {step} steps, one mask a row: real image, mask, samples",
        caption=f"Samples after {thousands(step)} steps, one training mask a row: the real image, its "
        "mask, then samples for this mask. None was selected by hand.",
    )
