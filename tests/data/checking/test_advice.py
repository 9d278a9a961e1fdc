"""Sites whose images clearly differ from home are named, from their images alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import s2s2
from s2s2.cli import main
from s2s2.data import Dataset
from s2s2.data.checking import advice
from s2s2.data.checking.advice import MOST, advise
from tests.drawn import draw_site

DEMO = Path(s2s2.__path__[0]) / "demo_data"
FITS = (
    " A stack with random styles fits: the default, or any with randconv. (From the images alone; no mask of "
    "{} was used.)"
)


def opened(path: Path, channels: int | None = None) -> Dataset:
    return Dataset.open(path, masks=False, channels=channels)


def changed(site: Path, name: str, gain: float = 1.0, shift: float = 0.0, *, grey: bool = False) -> Dataset:
    """Return a copy of a site whose pixels are multiplied and shifted."""
    copy = Path(shutil.copytree(site, site.parent / name))
    shutil.rmtree(copy / "masks")
    for path in (copy / "images").iterdir():
        pixels = np.asarray(Image.open(path)) / 255 * gain + shift
        pixels = np.repeat(pixels.mean(-1, keepdims=True), 3, -1) if grey else pixels
        Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8)).save(path)
    return opened(copy)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gain": 0.5, "shift": 0.45}, "brighter and of lower contrast than at home."),
        ({"shift": 0.22}, "brighter than at home."),
        ({"gain": 1.9, "shift": -0.3}, "of higher contrast than at home."),
        ({"gain": 0.2}, "darker and of lower contrast than at home."),
        ({"grey": True}, "grey, at home they are in colour."),
        ({"grey": True, "gain": 0.2}, "grey, darker and of lower contrast than at home."),
    ],
)
def test_what_differs_is_said(site: Path, changes: dict[str, float], words: str) -> None:
    away = changed(site, "away", **changes)  # type: ignore[arg-type]
    assert advise(opened(site), {"away": away}, ()) == (f"Images of away are {words}" + FITS.format("away"),)


def test_sites_that_are_alike_are_passed_over(site: Path) -> None:
    away = {"same": opened(site), "nearly": changed(site, "nearly", 0.9, 0.1)}
    assert advise(opened(site), away, ()) == ()


def test_the_sites_of_the_demos() -> None:
    home, stained, bright = (
        opened(DEMO / "nuclei" / name, 3) for name in ("fluorescence", "stained", "brightfield")
    )
    words = "brighter and of higher contrast than at home."
    assert advise(home, {"stained": stained, "brightfield": bright}, ()) == (
        f"Images of stained are in colour, {words}" + FITS.format("stained"),
        f"Images of brightfield are {words}" + FITS.format("brightfield"),
    )
    hospitals = {path.name: opened(path) for path in (DEMO / "hospitals").iterdir() if path.is_dir()}
    assert len(hospitals) == 4
    for dataset in hospitals.values():
        assert advise(dataset, hospitals, ()) == ()


def test_where_random_styles_are_made_nothing_is_said(site: Path) -> None:
    away = {"away": changed(site, "away", 0.2)}
    for spec in ("randconv", "composite+randconv(width=0)", "appearance:4,randconv:4"):
        assert advise(opened(site), away, ["boxes", spec]) == ()
    assert advise(opened(site), away, ["boxes"])


def test_what_is_measured_equals_loops(site: Path) -> None:
    dataset = opened(site)
    seen = advice._Seen.of(dataset)
    for number, case in enumerate(dataset):
        image = dataset.image(case)
        grey, colour, largest = [], 0.0, 0.0
        for row in range(image.shape[1]):
            for column in range(image.shape[2]):
                pixel = [float(value) for value in image[:, row, column]]
                grey.append(sum(pixel) / 3)
                colour += max(pixel) - min(pixel)
                largest += max(pixel)
        mean = sum(grey) / len(grey)
        assert seen.brightness[number] == pytest.approx(mean, abs=1e-5)
        spread = (sum((value - mean) ** 2 for value in grey) / len(grey)) ** 0.5
        assert seen.contrast[number] == pytest.approx(spread, abs=1e-5)
        assert seen.colour[number] == pytest.approx(colour / largest, abs=1e-5)


def test_a_few_images_of_the_whole_site_are_read_and_broken_ones_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = draw_site(tmp_path / "site", cases=2 * MOST + 1, shape=(8, 8))
    dataset, read = opened(site), []
    (site / "images" / "case_00.png").write_bytes(b"corrupt")
    whole = advice.read_joined_raw
    monkeypatch.setattr(
        advice,
        "read_joined_raw",
        lambda paths, channels: read.append(paths[0].stem) or whole(paths, channels),
    )
    seen = advice._Seen.of(dataset)
    assert sorted(read) == sorted(dataset.ids[::3])
    assert len(read) <= MOST
    assert len(seen.brightness) == len(read) - 1


def test_of_three_images_nothing_is_said(site: Path) -> None:
    away = changed(site, "away", 0.2)
    assert advise(opened(site), {"away": away.subset(away.ids[:3])}, ()) == ()
    assert advise(opened(site), {"away": away.subset(away.ids[:4])}, ())


def test_colour_says_nothing_of_other_channels(tmp_path: Path) -> None:
    site = draw_site(tmp_path / "site")
    away = {"away": changed(site, "away", grey=True)}
    assert advise(opened(site, 1), {"away": opened(away["away"].root, 1)}, ()) == ()


def test_channels_of_several_files_are_no_colours(tmp_path: Path) -> None:
    site = draw_site(tmp_path / "site", channels=1)
    grey, paths = opened(site), sorted((site / "images").iterdir())
    cases = [replace(case, parts=tuple(paths[:3])) for case in grey]
    seen = advice._Seen.of(Dataset(cases, None, 3))
    assert (seen.colour == 0).all()
    expected = np.mean([grey.image(case).mean() for case in grey.cases[:3]])
    np.testing.assert_allclose(seen.brightness, expected, rtol=1e-5)


def test_check_compares_sites_without_masks(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    away = changed(site, "away", 0.2).root
    assert main(["check", str(site), "--target", str(away), str(site)]) == 0
    shown = capsys.readouterr().out
    assert "Images of away are darker" in shown
    assert "Images of site are" not in shown
    assert main(["check", str(site), "--target", str(away), "--json"]) == 0
    assert [sentence[:14] for sentence in json.loads(capsys.readouterr().out)["advice"]] == ["Images of away"]
    assert main(["check", str(site), "--json"]) == 0
    assert "advice" not in json.loads(capsys.readouterr().out)
    assert main(["check", str(site), "--target", "nowhere"]) == 2
