"""Each fault is laid into a drawn site, and the report must name it, and name all at once."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFilter
from rich.console import Console

from s2s2.data.checking.duplicates import between_sites
from s2s2.data.checking.inspection import inspect
from s2s2.data.checking.report import CheckReport
from s2s2.data.classes import ClassMap
from s2s2.data.split import Split
from s2s2.errors import DataError
from tests.drawn import draw_site


def _mask(site: Path, index: int) -> Path:
    return site / "masks" / f"case_{index:02d}.png"


def _image(site: Path, index: int) -> Path:
    return site / "images" / f"case_{index:02d}.png"


def _rules(report: CheckReport) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {}
    for problem in report.problems:
        rules.setdefault(f"{problem.level}:{problem.rule}", []).append(problem.subject)
    return rules


def _save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)


def _soften(site: Path) -> None:
    Image.open(_mask(site, 3)).filter(ImageFilter.GaussianBlur(0.7)).save(_mask(site, 3))


def _turn(site: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(_image(site, 3)).save(_image(site, 3).with_suffix(".jpg"), exif=exif)
    _image(site, 3).unlink()


def _darken(site: Path) -> None:
    for path in (site / "images").iterdir():
        tifffile.imwrite(path.with_suffix(".tif"), np.asarray(Image.open(path)).astype(np.uint16) * 16)
        path.unlink()


def _palettes(site: Path) -> None:
    for index, colour in ((1, (200, 0, 0)), (2, (0, 200, 0))):
        image = Image.fromarray(
            (np.asarray(Image.open(_mask(site, index))) > 0).astype(np.uint8), "L"
        ).convert("P")
        image.putpalette([0, 0, 0, *colour])
        image.save(_mask(site, index))


FAULTS: list[tuple[str, list[str], Callable[[Path], object]]] = [
    ("error:unreadable-image", ["case_03"], lambda site: _image(site, 3).write_bytes(b"x")),
    ("error:unreadable-mask", ["case_03"], lambda site: _mask(site, 3).write_bytes(b"")),
    ("error:image-without-mask", ["case_03"], lambda site: _mask(site, 3).unlink()),
    ("error:size-differs", ["case_03"], lambda site: _save(_mask(site, 3), np.full((9, 9), 255, np.uint8))),
    ("warning:blank-mask", ["case_03"], lambda site: _save(_mask(site, 3), np.zeros((40, 56), np.uint8))),
    ("warning:soft-mask", ["case_03"], _soften),
    (
        "warning:constant-image",
        ["case_03"],
        lambda site: _save(_image(site, 3), np.full((40, 56, 3), 9, np.uint8)),
    ),
    ("warning:orientation", ["case_03"], _turn),
    (
        "warning:duplicate-across-groups",
        ["case_00 = case_05"],
        lambda site: Image.open(_image(site, 0)).save(_image(site, 5).with_suffix(".png"), compress_level=0),
    ),
]


@pytest.mark.parametrize(("rule", "subjects", "lay"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_named(site: Path, rule: str, subjects: list[str], lay: Callable[[Path], object]) -> None:
    lay(site)
    report = inspect(site)
    assert _rules(report) == {rule: subjects}
    assert report.ok is rule.startswith("warning")


def test_palettes_that_differ_need_a_class_map(site: Path) -> None:
    _palettes(site)
    report = inspect(site)
    assert (_rules(report), report.ok) == ({"error:class-map": [str(site)]}, False)
    for line in (
        "`--classes background=0 'class_1=#00c800' 'class_2=#c80000'`",
        "`--classes background=0 class_1=1`",
    ):
        assert line in report.errors[0].message
    settled = inspect(site, class_map=ClassMap(("background", "polyp"), ((0,), (1, 255)), palettes="indices"))
    assert (_rules(settled), settled.ok) == ({"warning:palette": ["case_02"]}, True)
    assert settled.summary["mask_reading"] == (
        "2 as palette indices, 10 as grey levels of 8 bits: 0 background, 1,255 polyp"
    )


def test_faults_of_the_whole_site_are_named(site: Path) -> None:
    _save(_image(site, 0), np.asarray(Image.open(_image(site, 0)).convert("L")))
    assert _rules(inspect(site)) == {"warning:channels": [str(site)]}
    assert _rules(inspect(site, channels=1)) == {}
    assert _rules(inspect(site, channels=4)) == {"error:channels": [str(site)]}
    tifffile.imwrite(_image(site, 1), np.zeros((40, 56, 5), np.uint8), planarconfig="contig")
    assert "error:channels" in _rules(inspect(site))


def test_twelve_bits_in_sixteen_are_named(site: Path) -> None:
    _darken(site)
    report = inspect(site)
    assert _rules(report) == {"warning:dark": [str(site)]}
    assert "is 4080 of 65535" in report.problems[0].message


def test_unknown_labels_are_named(site: Path) -> None:
    mask = np.asarray(Image.open(_mask(site, 3))).copy()
    mask[0, :7] = 9
    _save(_mask(site, 3), mask)
    report = inspect(site, class_map=ClassMap.parse(["background=0", "polyp=255"]))
    assert _rules(report) == {"error:unknown-label": ["case_03"]}
    assert "case_03.png holds 1 unknown value: 9 (7 px)" in report.problems[0].message


def test_classes_that_never_occur_are_named(site: Path) -> None:
    report = inspect(site, class_map=ClassMap.parse(["background=0", "polyp=255", "tool=7"]))
    assert _rules(report) == {"warning:absent-class": [str(site)]}
    nothing = inspect(site, class_map=ClassMap.parse(["background=0,255", "tool=7"]))
    assert "error:no-foreground" in _rules(nothing)
    shifted = inspect(site, class_map=ClassMap.parse(["background=3", "ground=0", "polyp=255"]))
    assert "no mask holds the class background. Its value may be another one" in shifted.problems[0].message


def test_masks_that_allow_no_class_map_are_named(site: Path) -> None:
    for path in (site / "masks").iterdir():
        _save(path, np.zeros((40, 56), np.uint8))
    report = inspect(site)
    assert _rules(report)["error:class-map"] == [str(site)]
    assert len(_rules(report)["warning:blank-mask"]) == 12
    for path in (site / "masks").iterdir():
        path.write_bytes(b"")
    assert "no mask can be read" in next(p for p in inspect(site).errors if p.rule == "class-map").message


def test_few_groups_and_no_groups_are_named(site: Path) -> None:
    (site / "groups.csv").unlink()
    assert _rules(inspect(site)) == {"warning:no-groups": [str(site)]}
    assert _rules(inspect(site, groups=r"^case_(\d)")) == {"warning:few-groups": [str(site)]}


def test_duplicates_across_a_split_are_errors(site: Path) -> None:
    shutil.copy(_image(site, 0), _image(site, 5))
    split = Split(("case_00", "case_01"), ("case_02", "case_03"), ("case_04", "case_05"))
    assert _rules(inspect(site, split=split)) == {"error:duplicate-across-split": ["case_00 = case_05"]}
    names = sorted(path.name for path in (site / "images").iterdir())
    rows = [f"images/{name},masks/{name},{'test' if name > 'case_04' else 'train'}" for name in names]
    (site / "cases.csv").write_text("\n".join(["image,mask,split", *rows]))
    assert "error:duplicate-across-split" in _rules(inspect(site / "cases.csv"))
    shutil.copy(_image(site, 0), _image(site, 1))  # of one group: a split by group keeps them together
    _image(site, 5).write_bytes(_image(site, 4).read_bytes())
    report = inspect(site)
    assert report.ok
    assert report.problems == ()
    assert report.summary["equal_images"] == 2


def test_duplicates_between_sites_are_named(site: Path, tmp_path: Path) -> None:
    away = draw_site(tmp_path / "away", seed=1)
    shutil.copy(_image(site, 2), _image(away, 7))
    reports = {"home": inspect(site), "away": inspect(away)}
    found = list(between_sites({name: report.digests for name, report in reports.items()}))
    assert [(problem.rule, problem.subject) for problem in found] == [
        ("duplicate-across-sites", "home/case_02 = away/case_07")
    ]


def test_one_pass_names_everything(site: Path) -> None:
    _image(site, 0).write_bytes(b"x")
    _mask(site, 1).write_bytes(b"x")
    _mask(site, 2).unlink()
    _image(site, 4).unlink()
    _save(_mask(site, 5), np.zeros((9, 9), np.uint8))
    _save(_image(site, 6), np.zeros((40, 56, 3), np.uint8))
    shutil.copy(_image(site, 8), _image(site, 11))
    _save(_mask(site, 7), np.zeros((40, 56), np.uint8))
    rules = _rules(inspect(site))
    assert rules == {
        "error:image-without-mask": ["case_02"],
        "error:unreadable-image": ["case_00"],
        "error:unreadable-mask": ["case_01"],
        "error:size-differs": ["case_05"],
        "warning:mask-without-image": [str(_mask(site, 4))],
        "warning:group-without-case": ["case_04"],
        "warning:blank-mask": ["case_05", "case_07"],
        "warning:constant-image": ["case_06"],
        "warning:duplicate-across-groups": ["case_08 = case_11"],
    }


def test_the_summary_counts(tmp_path: Path) -> None:
    site = draw_site(tmp_path / "three", cases=6, channels=1, classes=3, shape=(20, 30))
    _save(_mask(site, 0), np.zeros((20, 30), np.uint8))
    numbers = inspect(site).summary
    assert (numbers["cases"], numbers["masks"], numbers["groups"], numbers["domains"]) == (
        6,
        6,
        3,
        {"three": 6},
    )
    assert (numbers["sizes"], numbers["channels"], numbers["bits"]) == ({"20 x 30": 6}, {"1": 6}, {"8": 6})
    pixels = np.stack([np.asarray(Image.open(path)) for path in (site / "masks").iterdir()])
    for entry in numbers["classes"]:
        assert entry["pixel_share"] == pytest.approx((pixels == entry["id"]).mean())
        assert entry["cases"] == (pixels == entry["id"]).any(axis=(1, 2)).sum()
    assert [entry["name"] for entry in numbers["classes"]] == ["background", "class_1", "class_2"]


def test_the_report_is_json_and_a_table(site: Path) -> None:
    _mask(site, 0).unlink()
    for index in range(1, 6):
        _save(_mask(site, index), np.zeros((40, 56), np.uint8))
    report = inspect(site, domain="[Lyon]")
    content = json.loads(json.dumps(report.to_dict()))
    assert content["ok"] is False
    assert content["problems"][0]["rule"] == "image-without-mask"
    out = io.StringIO()
    report.render(Console(file=out, width=200))
    text = out.getvalue()
    for words in (
        "12, 11 with a mask",
        "[Lyon]",
        "40 x 56 (12)",
        "foreground",
        "and 2 more",
        "1 error would break",
    ):
        assert words in text
    assert "5 warnings to check" in text


def test_a_sound_site_is_said_to_be_sound(site: Path) -> None:
    done: list[tuple[int, int]] = []
    report = inspect(site, progress=lambda now, of: done.append((now, of)))
    out = io.StringIO()
    report.render(Console(file=out, width=100))
    assert "Nothing here would break training." in out.getvalue()
    assert "Problems" not in out.getvalue()
    assert done == [(index, 12) for index in range(1, 13)]


def test_images_alone_are_checked_for_prediction(site: Path) -> None:
    _image(site, 3).write_bytes(b"x")
    report = inspect(site / "images", masks=False, groups=r"(\d)$")
    assert _rules(report) == {"error:unreadable-image": ["case_03"]}
    report.render(Console(file=io.StringIO()))


def test_a_folder_that_is_no_data_set_is_refused(site: Path) -> None:
    with pytest.raises(DataError, match="has 12 images and no masks/"):
        inspect(site / "images")


def test_a_check_loads_no_torch(site: Path) -> None:
    code = (
        "import sys\nfrom s2s2.data.checking.inspection import inspect\n"
        f"assert inspect({str(site)!r}).ok\n"
        "print(sorted({'torch', 'lightning', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
