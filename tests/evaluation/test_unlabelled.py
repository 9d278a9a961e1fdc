"""Networks adapted to the images that they predict: what is refused, recorded and kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from s2s2.cli import main
from s2s2.data import Dataset
from s2s2.errors import EvaluationError, NetworkError
from s2s2.evaluation import PredictionFolder
from s2s2.evaluation.predict import predict as predict_untrusted
from s2s2.evaluation.unlabelled import FEWEST, Unlabelled
from tests.drawn import draw_site
from tests.evaluation.known_networks import TRUSTED, Relative, save_known

predict = partial(predict_untrusted, trust=TRUSTED)


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """Eighteen images at a quarter of the brightness: no pixel is above one half."""
    site = draw_site(tmp_path / "away", cases=18)
    for path in (site / "images").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) // 4).save(path)
    return site


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return save_known(tmp_path / "network", Relative, domain="home", learnt=("case_00", "case_01"))


def images(path: Path) -> Dataset:
    return Dataset.open(path, masks=False)


def maps(folder: PredictionFolder) -> dict[str, bytes]:
    return {case_id: folder.label_map(case_id).read_bytes() for case_id in folder.ids}


def test_an_adapted_network_sees_in_dark_images_what_it_missed(
    away: Path, network: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in network.iterdir()}
    plain, folder = PredictionFolder(tmp_path / "plain"), PredictionFolder(tmp_path / "adapted")
    predict(network, images(away), plain.root)
    predict(network, images(away), folder.root, adapted=True)
    labelled = Dataset.open(away)
    for case in labelled:
        mask = labelled.original_mask(case)
        assert plain.read(case.id).max() == 0
        assert ((folder.read(case.id) == 1) & (mask == 1)).sum() > 0.9 * (mask == 1).sum()
    assert {path: path.read_bytes() for path in network.iterdir()} == before


def test_the_statistics_are_those_of_all_images_padded(away: Path, network: Path, tmp_path: Path) -> None:
    dataset = images(away).resized(64)
    pixels = np.concatenate(
        [
            np.pad(image, ((0, 0), (0, 64 - image.shape[1]), (0, 64 - image.shape[2]))).reshape(3, -1)
            for image in map(dataset.image, dataset)
        ],
        axis=1,
    )
    from s2s2.networks.ensemble import load_ensemble

    unlabelled = Unlabelled(dataset, [])
    assert [len(batch) for batch in unlabelled] == [6, 6, 6]
    ensemble = load_ensemble(network, torch.device("cpu"), trust=TRUSTED, adapted_to=unlabelled)
    norm = ensemble.networks[0].norm
    np.testing.assert_allclose(norm.running_mean, pixels.mean(1), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, pixels.var(1), rtol=1e-4)


def test_the_batch_of_the_prediction_does_not_matter(away: Path, network: Path, tmp_path: Path) -> None:
    found = []
    for batch in (1, 5, 18):
        folder = PredictionFolder(tmp_path / f"{batch}")
        predict(network, images(away), folder.root, batch=batch, adapted=True)
        found.append(maps(folder))
    assert found[0] == found[1] == found[2]


def test_predictions_with_and_without_are_never_mixed(away: Path, network: Path, tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path / "out")
    predict(network, images(away), folder.root)
    assert folder.facts["adapted"] is None
    report = predict(network, images(away), folder.root, adapted=True)
    assert (len(report.written), report.kept) == (18, ())
    assert len(folder.facts["adapted"]) == 16
    assert len(predict(network, images(away), folder.root, adapted=True).kept) == 18
    report = predict(network, images(away), folder.root)
    assert (len(report.written), report.kept) == (18, ())


def test_one_image_more_changes_them_all(away: Path, network: Path, tmp_path: Path) -> None:
    part, out = images(away).subset([f"case_{number:02d}" for number in range(17)]), tmp_path / "out"
    predict(network, part, out, adapted=True)
    assert not predict(network, images(away), out, adapted=True).kept


def test_predictions_of_before_are_kept_where_nothing_is_adapted(
    away: Path, network: Path, tmp_path: Path
) -> None:
    folder = PredictionFolder(tmp_path / "out")
    predict(network, images(away), folder.root)
    folder.write_facts({name: value for name, value in folder.facts.items() if name != "adapted"})
    assert len(predict(network, images(away), folder.root).kept) == 18
    assert not predict(network, images(away), folder.root, adapted=True).kept


def test_an_image_that_cannot_be_read_is_left_out(away: Path, network: Path, tmp_path: Path) -> None:
    broken = away / "images" / "case_04.png"
    broken.write_bytes(broken.read_bytes()[:900])
    (away / "images" / "case_07.png").write_bytes(b"no image")
    report = predict(network, images(away), tmp_path / "out", adapted=True)
    assert set(report.failed) == {"case_04", "case_07"}
    assert len(report.written) == 16
    (away / "images" / "case_08.png").write_bytes(b"no image")
    with pytest.raises(EvaluationError, match=f"has 15 images that can be read, .*expected {FEWEST} or more"):
        predict(network, images(away), tmp_path / "out", adapted=True)


def test_too_few_images_are_refused(site: Path, network: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="has 12 images that can be read, too few to adapt"):
        predict(network, images(site), tmp_path / "out", adapted=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["home", "home/images"])
def test_images_that_were_learnt_from_are_refused(given: str, network: Path, tmp_path: Path) -> None:
    draw_site(tmp_path / "home", cases=18)
    with pytest.raises(EvaluationError, match=r"trained on or chosen by \(2: case_00, case_01\)"):
        predict(network, images(tmp_path / given), tmp_path / "out", adapted=True)
    test = images(tmp_path / given).subset([f"case_{number:02d}" for number in range(2, 18)])
    assert len(predict(network, test, tmp_path / "out", adapted=True).written) == 16


def test_a_network_without_batch_normalisation_is_refused(away: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="Brightness has no batch normalisation"):
        predict(save_known(tmp_path / "plain"), images(away), tmp_path / "out", adapted=True)


def test_the_seeds_of_an_arm_are_each_adapted(away: Path, tmp_path: Path) -> None:
    for seed in range(2):
        save_known(tmp_path / "arm" / f"seed{seed}" / "network", Relative)
    save_known(tmp_path / "one", Relative)
    folder, one = PredictionFolder(tmp_path / "out"), PredictionFolder(tmp_path / "single")
    predict(tmp_path / "arm", images(away), folder.root, adapted=True)
    predict(tmp_path / "one", images(away), one.root, adapted=True)
    assert maps(folder) == maps(one)


def test_the_command_says_that_it_may_lose(
    away: Path, network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = [word for name in TRUSTED for word in ("--trust", name)]
    words = [
        "predict",
        str(network),
        str(away),
        "--output",
        str(tmp_path / "out"),
        "--adapted",
        "true",
        *trust,
    ]
    assert main(words) == 0
    assert "gained 2 to 5 Dice points on polyps, lost 4 on cardiac MRI" in capsys.readouterr().err
    words[1] = str(save_known(tmp_path / "plain"))
    assert main(words) == 2
    assert "has no batch normalisation" in capsys.readouterr().err
