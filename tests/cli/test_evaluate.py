from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from s2s2.cli import main
from s2s2.data.dataset import Dataset
from s2s2.evaluation.folder import PredictionFolder
from tests.nnunet_sets import describe, draw_pictures


def test_classes_are_joined_by_name_where_the_data_number_them_otherwise(tmp_path: Path) -> None:
    """ACDC has RV=1 and LV=3, another cardiac data set LV=1 and RV=3."""
    root = draw_pictures(tmp_path / "Dataset001_Heart")
    describe(root, "RGB", ".png", labels={"background": 0, "LV": 1, "MYO": 2, "RV": 3})
    folder = PredictionFolder(tmp_path / "masks")
    for case in Dataset.open(root):
        mask = np.asarray(Image.open(str(case.mask_path)))
        folder.write(case.id, np.where(mask == 1, 3, 0).astype(np.uint8))
    folder.write_facts({"classes": ["background", "RV", "MYO", "LV"]})
    output = tmp_path / "scores.csv"
    assert main(["evaluate", str(folder.root), str(root), "--output", str(output)]) == 0
    scores = pd.read_csv(output).groupby("class_name")["dice"].mean()
    assert scores["LV"] == 1
    assert np.isnan(scores["RV"])
