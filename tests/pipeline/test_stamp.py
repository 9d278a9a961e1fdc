from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from s2s2.data import Dataset
from s2s2.pipeline.stamp import Stamp, listing_digest


def test_a_stage_holds_until_an_input_or_an_output_changes(tmp_path: Path) -> None:
    made = tmp_path / "made.txt"
    made.write_text("whole")
    stamp = Stamp(tmp_path / ".stage.json", {"size": 32})
    assert not stamp.holds()
    stamp.write([made])
    assert stamp.holds()
    assert not Stamp(stamp.path, {"size": 64}).holds()
    made.write_text("torn")
    assert not stamp.holds()
    made.unlink()
    assert not stamp.holds()


def test_a_torn_record_does_not_hold(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / ".stage.json", {})
    stamp.write([])
    stamp.path.write_text(stamp.path.read_text()[:10])
    assert not stamp.holds()


def test_a_changed_file_changes_the_listing(site: Path) -> None:
    before = listing_digest(Dataset.open(site))
    assert listing_digest(Dataset.open(site)) == before
    Image.fromarray(np.zeros((40, 56, 3), np.uint8)).save(site / "images" / "case_00.png")
    assert listing_digest(Dataset.open(site)) != before
