"""Data sets as people have them, through the commands: consoles, manifests, parts of a split."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.cli import main
from s2s2.data import Dataset
from s2s2.data.checking.inspection import inspect
from s2s2.data.split import Split, split_by_group
from s2s2.errors import SplitError
from s2s2.pipeline import RunConfig
from tests.drawn import draw_site


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "utf-8"])
def test_a_check_prints_in_any_encoding(site: Path, encoding: str) -> None:
    renamed = site.rename(
        site.with_name("d\N{LATIN SMALL LETTER E WITH ACUTE}p\N{CJK UNIFIED IDEOGRAPH-75C5}")
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from s2s2.cli import main; sys.exit(main())",
            "check",
            str(renamed),
        ],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    assert b"Nothing here would break training." in done.stdout
    assert (b"\xe2\x96\xa0" in done.stdout) is (encoding == "utf-8")


def test_split_heeds_the_column_split(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = ["test"] * 4 + ["train"] * 6 + ["val"] * 2
    rows = [f"images/case_{n:02d}.png,masks/case_{n:02d}.png,{part}" for n, part in enumerate(parts)]
    (site / "m.csv").write_text("\n".join(["image,mask,split", *rows]))
    assert main(["split", str(site / "m.csv"), "--output", str(tmp_path / "split.json"), "--seed", "3"]) == 0
    assert "6 train, 2 validation, 4 test as the column split declares" in capsys.readouterr().out
    assert Split.load(tmp_path / "split.json").test == tuple(f"case_{n:02d}" for n in range(4))


def test_one_part_of_a_split_is_predicted_and_scored(
    finished: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = ["--trust", finished.network.name]
    network, home = finished.output / "arms" / "s2s2" / "seed0" / "network", str(finished.data)
    part = ["--split", str(finished.output / "split.json")]
    test = Split.load(finished.output / "split.json").test
    evaluate = ["evaluate", str(tmp_path / "all"), home, "--output", str(tmp_path / "scores.csv")]
    assert main(["predict", str(network), home, "--output", str(tmp_path / "all"), *trust]) == 0
    assert main(evaluate) == 2
    assert (
        "Score the test part alone: `s2s2 evaluate --split split.json --part test`" in capsys.readouterr().err
    )
    assert main([*evaluate, *part]) == 0
    assert main([*evaluate, *part, "--part", "validation"]) == 2
    assert main(["predict", str(network), home, "--output", str(tmp_path / "part"), *part, *trust]) == 0
    assert {path.stem for path in (tmp_path / "part").glob("*.png")} == set(test)
    alone = ["evaluate", str(tmp_path / "part"), home, "--output", str(tmp_path / "alone.csv")]
    assert main(alone) == 2
    assert "--split split.json --part test" in capsys.readouterr().err
    assert main([*alone, *part]) == 0
    assert (tmp_path / "alone.csv").read_bytes() == (tmp_path / "scores.csv").read_bytes()


@pytest.mark.parametrize("text", ["nan", "inf", "0", "half a millimetre"])
def test_a_check_refuses_a_spacing_that_no_score_could_use(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site = draw_site(tmp_path / "site")
    (site / "m.csv").write_text(f"image,mask,spacing_mm\nimages/case_00.png,masks/case_00.png,{text}\n")
    assert main(["check", str(site / "m.csv"), "--json"]) == 2
    found = json.loads(capsys.readouterr().out)["problems"]
    assert [problem["subject"] for problem in found if problem["rule"] == "spacing"] == ["case_00"]


def test_a_training_refuses_a_validation_without_foreground(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("case_02.png", "case_03.png"):
        Image.fromarray(np.zeros((40, 56), np.uint8)).save(site / "masks" / name)
    cases = [f"case_{n:02d}" for n in range(12)]
    Split((*cases[:2], *cases[6:]), tuple(cases[2:4]), tuple(cases[4:6])).save(tmp_path / "split.json")
    output = tmp_path / "trained"
    words = ["train", str(site), "--split", str(tmp_path / "split.json"), "--arm", "baseline", "--size", "32"]
    assert main([*words, "--output", str(output)]) == 2
    assert "None of the 2 validation cases" in (said := capsys.readouterr().err)
    assert "has any foreground" in said
    assert not output.exists()


def _renamed(site: Path, image: str, mask: str) -> None:
    (site / "groups.csv").unlink()
    (site / "images" / "case_01.png").rename(site / "images" / image)
    (site / "masks" / "case_01.png").rename(site / "masks" / mask)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("\u00e9\ud55c.png", unicodedata.normalize("NFD", "\u00e9\ud55c.png")),
        ("case .png", "case.png"),
        ("\u8a9e" * 83 + ".png", "\u8a9e" * 83 + ".png"),
    ],
    ids=["forms of Unicode", "a blank at the end", "a name of 253 bytes"],
)
def test_image_and_mask_are_paired_by_name(image: str, mask: str, site: Path) -> None:
    _renamed(site, image, mask)
    assert inspect(site).ok
    data = Dataset.open(site)
    assert len(data) == 12
    assert all(case.mask_path is not None for case in data)


def test_groups_are_found_in_another_form_of_unicode(site: Path) -> None:
    _renamed(site, "\u00e9.png", "\u00e9.png")
    lines = [f"{case.id},all" for case in Dataset.open(site)]
    (site / "groups.csv").write_text(unicodedata.normalize("NFD", "\n".join(["case,group", *lines])))
    assert {case.group for case in Dataset.open(site)} == {"all"}


def test_links_in_circles_end(site: Path) -> None:
    inner = site / "images" / "inner"
    inner.mkdir()
    (inner / "up").symlink_to("..")
    (site / "images" / "self").symlink_to("self")
    assert len(Dataset.open(site)) == 12
    assert main(["split", str(site), "--output", str(site.parent / "split.json")]) == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_class_map_in_the_encodings_of_editors(encoding: str, site: Path) -> None:
    text = '{"classes": [{"name": "ground", "values": [0]}, {"name": "pol\u00fdp", "values": [255]}]}'
    (site / "classes.json").write_text(text, encoding=encoding)
    assert Dataset.open(site).class_map.names == ("ground", "pol\u00fdp")


def test_links_to_one_image_are_in_one_part_or_refused(site: Path) -> None:
    for folder in ("images", "masks"):
        os.link(site / folder / "case_00.png", site / folder / "twin.png")
        (site / folder / "third.png").symlink_to("case_00.png")
    (site / "groups.csv").unlink()
    data = Dataset.open(site)
    split = split_by_group(data, seed=0)
    same = {"case_00", "twin", "third"}
    assert sum(bool(same & {*part}) for part in (split.train, split.validation, split.test)) == 1
    rest = [case_id for case_id in data.ids if case_id not in same]
    apart = Split(train=("case_00", *rest[:6]), validation=("twin", rest[6]), test=("third", *rest[7:]))
    with pytest.raises(SplitError, match="One image is in several parts"):
        apart.check(data)
