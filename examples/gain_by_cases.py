"""Draw the gain over the baseline against the number of training images: one run for each number.

python examples/gain_by_cases.py HOME AWAY OUTPUT [numbers, such as 10,20,40] [steps]

HOME and AWAY are data sets. The training images of a smaller number are among those of a larger one;
validation and test images are the same for all. A run that is finished is not made again, so the
command may be stopped and given again. It writes gains.csv and gains.svg.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from s2s2 import Dataset, Run, RunConfig, Split, TrainConfig, split_by_group
from s2s2.arms import ARMS
from s2s2.cli.console import TerminalReporter
from s2s2.core.streams import stream
from s2s2.evaluation.tables import ALL_CLASSES
from s2s2.report.axes import scale
from s2s2.run.config import SplitConfig

SIZE, VALIDATION, CHANNELS, SEEDS, IMAGES_PER_STEP = 128, 16, 3, 3, 12
ARM_NAMES = ("augmented", "synthetic", "s2s2")
WIDTH, HEIGHT, LEFT, TOP, GAP = 330, 220, 60, 46, 70


def main(home: str, away: str, output: str, numbers: str = "10,20,40,80,160", steps: str = "200") -> None:
    """Run every number and draw all gains."""
    counts, folder = [int(number) for number in numbers.split(",")], Path(output)
    dataset = Dataset.open(home, size=SIZE, channels=CHANNELS)
    most = max(counts)
    whole = split_by_group(dataset, counts=(most, VALIDATION, len(dataset) - most - VALIDATION))
    order = [whole.train[index] for index in stream("gain by cases").permutation(most)]
    tables = []
    for count in counts:
        split = folder / f"split-{count}.json"
        split.parent.mkdir(parents=True, exist_ok=True)
        Split(train=tuple(sorted(order[:count])), validation=whole.validation, test=whole.test).save(split)
        config = RunConfig(
            data=Path(home),
            target=(Path(away),),
            output=folder / f"cases-{count}",
            size=SIZE,
            channels=CHANNELS,
            arms=("baseline", *ARM_NAMES),
            seeds=SEEDS,
            split=replace(SplitConfig(), file=split),
            train=TrainConfig(steps=int(steps), images_per_step=IMAGES_PER_STEP, validations=4),
            audited=False,
        )
        with TerminalReporter() as reporter:
            Run(config, reporter, " ".join(sys.argv)).execute()
        table = pd.read_csv(config.output / "comparisons.csv", keep_default_na=False)
        tables.append(table[table["metric"] == "dice"].assign(cases=count, home=dataset.domain))
    gains = pd.concat(tables, ignore_index=True)
    gains = gains[(gains["reference"] == "baseline") & (gains["class_name"] == ALL_CLASSES)]
    gains.to_csv(folder / "gains.csv", index=False)
    (folder / "gains.svg").write_text(draw(gains))


def draw(gains: pd.DataFrame) -> str:
    """Return a figure with one panel at home and one away: the difference, its interval as a band."""
    panels = [("at home", gains["domain"] == gains["home"]), ("away", gains["domain"] != gains["home"])]
    parts, width = [], LEFT + len(panels) * (WIDTH + GAP)
    for place, (title, chosen) in enumerate(panels):
        parts.append(_panel(gains[chosen], title, LEFT + place * (WIDTH + GAP)))
    for index, arm in enumerate(ARM_NAMES):
        x = LEFT + 130 * index
        parts.append(f'<line x1="{x}" x2="{x + 28}" y1="14" y2="14" {_stroke(arm)}/>')
        parts.append(f'<text x="{x + 34}" y="18">{arm}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 56}" '
        'font-family="sans-serif" font-size="13" fill="#333">'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _panel(rows: pd.DataFrame, title: str, left: int) -> str:
    counts = sorted(rows["cases"].unique())
    up_to = scale(min(0.0, rows["low"].min()), max(0.0, rows["high"].max()))

    def across(count: int) -> float:
        return left + WIDTH * (counts.index(count) + 0.5) / len(counts)

    def up(value: float) -> float:
        return TOP + HEIGHT * (1 - up_to.place(value) / 100)

    parts = [f'<text x="{left}" y="{TOP - 8}" font-weight="bold">{title}: Dice minus baseline</text>']
    for value in up_to.ticks:
        text = f"{value:+.{up_to.digits}f}" if value else "0"
        parts.append(f'<text x="{left - 8}" y="{up(value) + 4:.1f}" text-anchor="end">{text}</text>')
        parts.append(f'<path d="M{left} {up(value):.1f}h{WIDTH}" stroke="#ddd"/>')
    parts.append(f'<path d="M{left} {up(0):.1f}h{WIDTH}" stroke="#333"/>')
    for count in counts:
        parts.append(
            f'<text x="{across(count):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{count}</text>'
        )
    parts.append(
        f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">training images</text>'
    )
    for arm in ARM_NAMES:
        line = rows[rows["arm"] == arm].sort_values("cases")
        there = [f"{across(n):.1f},{up(v):.1f}" for n, v in zip(line["cases"], line["high"], strict=True)]
        back = [f"{across(n):.1f},{up(v):.1f}" for n, v in zip(line["cases"], line["low"], strict=True)]
        means = [
            f"{across(n):.1f},{up(v):.1f}" for n, v in zip(line["cases"], line["difference"], strict=True)
        ]
        parts.append(f'<polygon points="{" ".join(there + back[::-1])}" {_stroke(arm, fill=True)}/>')
        parts.append(f'<polyline points="{" ".join(means)}" fill="none" {_stroke(arm)}/>')
    return "".join(parts)


def _stroke(arm: str, *, fill: bool = False) -> str:
    style = ARMS[arm].style
    if style is None:
        return ""
    if fill:
        return f'fill="{style.light}" opacity="0.12"'
    return f'stroke="{style.light}" stroke-width="2.5" stroke-dasharray="{style.dash}"'


if __name__ == "__main__":
    main(*sys.argv[1:])
