from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from s2s2.cli import main
from s2s2.data import ClassMap
from s2s2.data.dataset import Dataset
from s2s2.data.volumes.config import VolumeConfig
from s2s2.errors import EvaluationError
from s2s2.evaluation.folder import PredictionFolder
from s2s2.evaluation.predict import predict
from s2s2.evaluation.score import score
from tests.drawn_volumes import AFFINE, disc, draw_volumes, save
from tests.evaluation.known_networks import save_known

BRIGHT = VolumeConfig(intensities="window", window=(0.0, 201.0))
TRUST = "tests.evaluation.known_networks.Brightness"
CLASSES = ClassMap(("background", "tube"), ((0, 2), (1,)))


@pytest.fixture
def away(tmp_path: Path) -> Path:
    return draw_volumes(tmp_path / "away", 3, seed=20)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Finds what is brighter than 100, one half of the window (no voxel lies on it)."""
    return save_known(tmp_path / "network", channels=1, size=None, class_map=CLASSES, volumes=BRIGHT)


def predicted(network: Path, data: Path, output: Path) -> int:
    """Run the command and return its exit code."""
    return main(["predict", str(network), str(data), "--output", str(output), "--trust", TRUST])


def opened(path: Path, *, masks: bool = False) -> Dataset:
    return Dataset.open(path, volumes=BRIGHT, masks=masks, class_map=CLASSES)


def test_a_volume_comes_out_in_its_own_place_and_order(away: Path, network: Path, tmp_path: Path) -> None:
    report = predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    assert report.written == ("patient0", "patient1", "patient2")
    assert not report.failed
    image = nib.load(away / "images" / "patient1.nii.gz")
    found = nib.load(tmp_path / "out" / "patient1.nii.gz")
    np.testing.assert_array_equal(found.affine, image.affine)
    assert found.get_data_dtype() == np.uint8
    assert [int(found.header[name]) for name in ("sform_code", "qform_code")] == [
        int(image.header[name]) for name in ("sform_code", "qform_code")
    ]
    voxels, _ = disc(21)
    np.testing.assert_array_equal(np.asarray(found.dataobj), voxels > 100)


def test_simpleitk_sees_one_grid(away: Path, network: Path, tmp_path: Path) -> None:
    import SimpleITK

    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    image, found = (
        SimpleITK.ReadImage(path / "patient0.nii.gz") for path in (away / "images", tmp_path / "out")
    )
    for name in ("GetSize", "GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(image, name)() == getattr(found, name)()


def test_scores_are_those_of_the_whole_volume(away: Path, network: Path, tmp_path: Path) -> None:
    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    table = score(tmp_path / "out", opened(away, masks=True)).set_index("case")
    assert list(table.index) == ["patient0", "patient1", "patient2"]
    for patient in range(3):
        voxels, labels = disc(20 + patient)
        ours, theirs = voxels > 100, labels == 1
        expected = 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum())
        assert table.loc[f"patient{patient}", "dice"] == pytest.approx(expected)
        ml = abs(int(ours.sum()) - int(theirs.sum())) * 1.5 * 1.2 * 6 / 1000
        assert table.loc[f"patient{patient}", "volume_error_ml"] == pytest.approx(ml, rel=1e-5)
    assert set(table["unit"]) == {"mm"}


def test_a_prediction_that_is_stored_otherwise_scores_the_same(
    away: Path, network: Path, tmp_path: Path
) -> None:
    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    before = score(tmp_path / "out", opened(away, masks=True))
    path = tmp_path / "out" / "patient2.nii.gz"
    nib.save(nib.as_closest_canonical(nib.load(path)), path)
    assert score(tmp_path / "out", opened(away, masks=True)).equals(before)


def test_a_prediction_on_another_grid_is_refused(away: Path, network: Path, tmp_path: Path) -> None:
    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    _, labels = disc(20)
    save(tmp_path / "out" / "patient0.nii.gz", labels[:-1])
    with pytest.raises(EvaluationError, match=r"'patient0' cannot be used: The label map .* another grid"):
        score(tmp_path / "out", opened(away, masks=True))
    (tmp_path / "out" / "patient0.nii.gz").unlink()
    with pytest.raises(EvaluationError, match=r"1 \(patient0\) without a prediction"):
        score(tmp_path / "out", opened(away, masks=True))


def test_whole_volumes_are_kept_and_replaced_ones_are_predicted_again(
    away: Path, network: Path, tmp_path: Path
) -> None:
    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    again = predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    assert (again.written, again.kept) == ((), ("patient0", "patient1", "patient2"))
    voxels, _ = disc(50)
    save(away / "images" / "patient1.nii.gz", voxels)
    (tmp_path / "out" / "patient2.nii.gz").write_bytes(b"cut")
    third = predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    assert sorted(third.written) == ["patient1", "patient2"]
    found = np.asarray(nib.load(tmp_path / "out" / "patient1.nii.gz").dataobj)
    np.testing.assert_array_equal(found, voxels > 100)


def test_a_volume_that_cannot_be_read_is_skipped_and_named(
    away: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = away / "images" / "patient1.nii.gz"
    path.write_bytes(path.read_bytes()[:400])
    code = main(
        ["predict", str(network), str(away / "images"), "--output", str(tmp_path / "out"), "--trust", TRUST]
    )
    said = capsys.readouterr()
    assert code == 2
    assert "patient1 was skipped" in said.err
    assert "2 predictions, 1 skipped" in said.out
    assert sorted(PredictionFolder(tmp_path / "out").ids) == ["patient0", "patient2"]


def test_one_file_is_predicted(away: Path, network: Path, tmp_path: Path) -> None:
    path = away / "images" / "patient0.nii.gz"
    assert (
        main(["predict", str(network), str(path), "--output", str(tmp_path / "out"), "--trust", TRUST]) == 0
    )
    assert (tmp_path / "out" / "patient0.nii.gz").is_file()


def test_probabilities_and_overlays_of_volumes(away: Path, network: Path, tmp_path: Path) -> None:
    predict(network, opened(away), tmp_path / "out", probabilities=True, overlays=True, trust=(TRUST,))
    with np.load(tmp_path / "out" / "probabilities" / "patient0.npz") as held:
        pages = held["probabilities"]
    assert pages.shape == (2, 6, 48, 40)
    assert np.abs(pages.astype(int).sum(0) - 65535).max() <= 1
    voxels, _ = disc(20)
    expected = voxels[:, ::-1].transpose(2, 1, 0) > 100
    np.testing.assert_array_equal(pages.argmax(0), expected)
    assert (tmp_path / "out" / "overlays" / "patient0.png").is_file()


def test_png_slices_of_a_manifest_get_the_scores_of_the_volumes(
    away: Path, network: Path, tmp_path: Path
) -> None:
    volumes, slices = opened(away, masks=True), tmp_path / "slices"
    slices.mkdir()
    rows = ["image,mask,case,volume,slice,spacing_mm"]
    for case in volumes:
        for kind, path in (("i", case.image_path), ("m", case.mask_path)):
            assert path is not None
            (slices / f"{kind}-{case.id}.png").write_bytes(path.read_bytes())
        spacing = " ".join(map(str, (case.slice_mm, *(case.spacing_mm or ()))))
        rows.append(f"i-{case.id}.png,m-{case.id}.png,{case.id},{case.volume},{case.slice},{spacing}")
    (slices / "away.csv").write_text("\n".join(rows) + "\n")
    predict(network, volumes, tmp_path / "out", trust=(TRUST,))
    expected = score(tmp_path / "out", volumes)
    flat = Dataset.open(slices / "away.csv", class_map=CLASSES, domain="away")
    predict(network, flat, tmp_path / "pngs", trust=(TRUST,))
    assert len(list((tmp_path / "pngs").glob("*.png"))) == 18
    assert score(tmp_path / "pngs", flat).equals(expected)


def test_slices_can_be_scored_by_themselves(away: Path, network: Path, tmp_path: Path) -> None:
    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    table = score(tmp_path / "out", opened(away, masks=True), slicewise=True).set_index("case")
    assert len(table) == 18
    voxels, labels = disc(21)
    for number in range(1, 5):
        ours, theirs = voxels[..., number] > 100, labels[..., number] == 1
        expected = 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum())
        assert table.loc[f"patient1_s{number:03d}", "dice"] == pytest.approx(expected)
    assert table.loc["patient1_s000", "status"] == "false"


def test_the_largest_region_of_a_volume_alone_is_kept(away: Path, network: Path, tmp_path: Path) -> None:
    predict(network, opened(away), tmp_path / "out", trust=(TRUST,))
    before = np.asarray(nib.load(tmp_path / "out" / "patient0.nii.gz").dataobj)
    again = predict(network, opened(away), tmp_path / "out", trust=(TRUST,), largest=("tube",))
    assert len(again.written) == 3  # those with all regions are not kept
    after = np.asarray(nib.load(tmp_path / "out" / "patient0.nii.gz").dataobj)
    assert 0 < after.sum() < before.sum()
    assert ndimage.label(after)[1] == 1


def test_a_network_of_neighbours_predicts_volumes_by_its_card(away: Path, tmp_path: Path) -> None:
    thick = VolumeConfig(intensities="window", window=(0.0, 201.0), neighbours=1)
    folder = save_known(tmp_path / "net", channels=3, size=None, class_map=CLASSES, volumes=thick)
    assert (
        main(
            [
                "predict",
                str(folder),
                str(away / "images"),
                "--output",
                str(tmp_path / "out"),
                "--trust",
                TRUST,
            ]
        )
        == 0
    )
    voxels, _ = disc(20)
    padded = np.clip(np.pad(voxels.astype(float), [(0, 0), (0, 0), (1, 1)], mode="edge") / 201, 0, 1)
    mean = (padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]) / 3
    found = np.asarray(nib.load(tmp_path / "out" / "patient0.nii.gz").dataobj)
    assert (found == (mean > 0.5)).mean() > 0.999  # but for values of exactly one half


def test_the_whole_path_of_volumes(tmp_path: Path) -> None:
    """Check, run, predict, evaluate and report, by commands, from a folder of NIfTI files."""
    home, away, run = draw_volumes(tmp_path / "home", 6), tmp_path / "away", tmp_path / "run"
    draw_volumes(away, 3, seed=30, affine=AFFINE @ np.diag([-1.0, -1, 1, 1]), invert=True)
    assert main(["check", str(home)]) == 0
    words = ["run", "--data", home, "--target", away, "--output", run, "--size", "32", "--seeds", "1"]
    words += [
        "--arms",
        "baseline",
        "s2s2",
        "--stack.generator",
        "randconv",
        "--stack.depth",
        "2",
        "--jobs",
        "1",
    ]
    words += ["--train.steps", "4", "--train.images_per_step", "4", "--train.validations", "1"]
    words += ["--audited", "false", "--flips", "false"]
    assert main([*map(str, words)]) == 0
    scores = (run / "scores.csv").read_text()
    assert scores.count("patient0,") >= 2
    assert "_s00" not in scores
    page = (run / "report.html").read_text()
    assert "patient" in page
    assert page.count('<input type="range"') >= 4
    out = tmp_path / "out"
    assert main(["predict", str(run / "arms" / "s2s2"), str(away), "--output", str(out)]) == 0
    assert main(["evaluate", str(out), str(away), "--output", str(tmp_path / "scores.csv")]) == 0
    found, image = nib.load(out / "patient0.nii.gz"), nib.load(away / "images" / "patient0.nii.gz")
    np.testing.assert_array_equal(found.affine, image.affine)
    assert main(["run", *map(str, words[1:])]) == 0
