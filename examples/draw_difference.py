"""Draw what two arms find in images of a site: python examples/draw_difference.py RUN SITE out.jpg.

RUN is the folder of a finished `s2s2 run`, SITE the name of one of its sites. The cases are those whose
gain over the baseline lies at the quarter, the half and three quarters of all, so none is chosen by eye.
"""

import sys
from pathlib import Path

from s2s2.pictures import SheetRow, displayed, draw_sheet, overlay
from s2s2.run.data import open_data
from s2s2.run.folder import RunFolder
from s2s2.run.results import Results

QUANTILES = (0.25, 0.5, 0.75)


def main(run: str, site: str, output: str) -> None:
    """Write one picture: a row a case with the mask, what the baseline finds and what the main arm finds."""
    results = Results.read(RunFolder(Path(run)))
    if results.config is None or results.reference is None:
        raise SystemExit(f"{run} holds no settings, or one arm alone.")
    sites = {**open_data(results.config).away}
    if site not in sites:
        raise SystemExit(f"{run} has no site {site}; it has {', '.join(sites)}.")
    dataset = sites[site]
    values = results.case_values()
    seed = results.seeds[0]
    values = values[(values["domain"] == site) & (values["seed"] == seed)]
    table = values.pivot_table(index="case", columns="arm", values="dice")
    gain = (table[results.main] - table[results.reference]).dropna().sort_values()
    rows = []
    for quantile in QUANTILES:
        case = dataset.case(str(gain.index[round(quantile * (len(gain) - 1))]))
        image = dataset.resized(None).image(case)
        colours = dataset.class_map.colours
        pictures = {"image": displayed(image), "mask": overlay(image, dataset.original_mask(case), colours)}
        words = [case.id]
        for arm in (results.reference, results.main):
            labels = results.folder.training(results.specs[arm], seed).predictions(site).read(case.id)
            pictures[arm] = overlay(image, labels.astype("uint8"), colours)
            words.append(f"{arm} {table[arm][case.id]:.2f}")
        rows.append(SheetRow(", ".join(words), pictures))
    draw_sheet(rows, Path(output))


if __name__ == "__main__":
    main(*sys.argv[1:])
