from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset
from s2s2.errors import ConfigError, NetworkError, StorageError
from s2s2.evaluation import PredictionFolder
from s2s2.evaluation.predict import predict as predict_untrusted, torch_device
from tests.drawn import draw_site
from tests.evaluation.known_networks import TRUSTED, Brightness, Broken, Halved, save_known

predict = partial(predict_untrusted, trust=TRUSTED)

SHAPE = (40, 56)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return save_known(tmp_path / "network")


def images(path: Path, **options) -> Dataset:
    return Dataset.open(path, masks=False, **options)


def test_one_label_map_a_case_on_the_original_grid(site: Path, network: Path, tmp_path: Path) -> None:
    dataset = images(site)
    report = predict(network, dataset, tmp_path / "out")
    assert sorted(report.written) == sorted(dataset.ids)
    assert (report.kept, report.failed) == ((), {})
    folder = PredictionFolder(tmp_path / "out")
    assert folder.ids == tuple(sorted(dataset.ids))
    with Image.open(folder.label_map("case_03")) as file:
        assert (file.mode, file.size) == ("L", SHAPE[::-1])
        labels = np.asarray(file)
    assert set(np.unique(labels)) == {0, 1}
    # The ellipses are bright, so the network that knows brightness finds them.
    labelled = Dataset.open(site)
    mask = labelled.original_mask(labelled.case("case_03"))
    assert (labels == mask).mean() > 0.95


def test_images_go_through_padded_and_in_batches(site: Path, network: Path, tmp_path: Path) -> None:
    predict(network, images(site), tmp_path / "out", batch=5)
    assert Brightness.shown == [(5, 3, 64, 64), (5, 3, 64, 64), (2, 3, 64, 64)]


def test_the_batch_does_not_matter(site: Path, network: Path, tmp_path: Path) -> None:
    first, second = PredictionFolder(tmp_path / "one"), PredictionFolder(tmp_path / "five")
    predict(network, images(site), first.root, batch=1)
    predict(network, images(site), second.root, batch=5)
    for case in first.ids:
        np.testing.assert_array_equal(first.read(case), second.read(case))


def test_native_grids_of_several_sizes(tmp_path: Path) -> None:
    for place, shape in enumerate([(40, 56), (70, 30), (40, 56), (33, 97)]):
        draw_site(tmp_path / "site" / f"part{place}", cases=1, shape=shape, seed=place)
    folder = tmp_path / "images"
    folder.mkdir()
    for place, path in enumerate(sorted((tmp_path / "site").rglob("images/*.png"))):
        path.rename(folder / f"case_{place}.png")
    report = predict(save_known(tmp_path / "net", size=None), images(folder), tmp_path / "out")
    assert sorted(Brightness.shown) == [(1, 3, 64, 128), (1, 3, 96, 32), (2, 3, 64, 64)]
    shapes = [PredictionFolder(tmp_path / "out").read(case).shape for case in sorted(report.written)]
    assert shapes == [(40, 56), (70, 30), (40, 56), (33, 97)]


def test_a_network_trained_on_patches_slides(site: Path, tmp_path: Path) -> None:
    whole = save_known(tmp_path / "whole", size=96)
    predict(whole, images(site), tmp_path / "a")
    patches = save_known(tmp_path / "patches", size=96, patch=32)
    predict(patches, images(site), tmp_path / "b")
    assert {shape[-2:] for shape in Brightness.shown} == {(32, 32)}
    first, second = PredictionFolder(tmp_path / "a"), PredictionFolder(tmp_path / "b")
    for case in first.ids:
        assert (first.read(case) == second.read(case)).mean() > 0.999


def disc(shape: tuple[int, int]) -> np.ndarray:
    """A disc with a soft edge; 0.5 lies on its border."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - 0.42 * shape[0], columns - 0.6 * shape[1])
    return 1 / (1 + np.exp((distance - 0.28 * min(shape)) / (0.06 * max(shape))))


@pytest.mark.parametrize("shape", [(101, 77), (180, 320), (63, 200), (51, 51), (31, 43), (64, 64)])
def test_predictions_lie_where_the_image_has_them(shape: tuple[int, int], tmp_path: Path) -> None:
    bright = disc(shape)
    pixels = np.round(255 * bright).astype(np.uint8)
    (tmp_path / "images").mkdir()
    Image.fromarray(pixels).save(tmp_path / "images" / "disc.png")
    network = save_known(tmp_path / "network", channels=1)
    predict(network, images(tmp_path / "images"), tmp_path / "out")
    labels = PredictionFolder(tmp_path / "out").read("disc")
    expected = bright > 0.5
    found, wanted = np.argwhere(labels == 1), np.argwhere(expected)
    assert np.abs(found.mean(0) - wanted.mean(0)).max() < 0.5
    assert np.abs(found.min(0) - wanted.min(0)).max() <= 1
    assert np.abs(found.max(0) - wanted.max(0)).max() <= 1


def test_probabilities_are_those_of_the_label_map(site: Path, network: Path, tmp_path: Path) -> None:
    predict(network, images(site), tmp_path / "out", probabilities=True)
    folder = PredictionFolder(tmp_path / "out")
    scores = folder.read_probabilities("case_00")
    assert scores.shape == (2, *SHAPE)
    np.testing.assert_allclose(scores.sum(0), 1, atol=2e-5)
    np.testing.assert_array_equal(scores.argmax(0), folder.read("case_00"))


def test_overlays_are_pictures_of_the_original_size(site: Path, network: Path, tmp_path: Path) -> None:
    predict(network, images(site), tmp_path / "out", overlays=True)
    with Image.open(PredictionFolder(tmp_path / "out").overlay("case_00")) as file:
        assert (file.mode, file.size) == ("RGB", SHAPE[::-1])


def test_a_corrupt_image_is_skipped_and_reported(site: Path, network: Path, tmp_path: Path) -> None:
    whole = (site / "images" / "case_04.png").read_bytes()
    (site / "images" / "case_04.png").write_bytes(whole[: len(whole) // 2])
    (site / "images" / "case_07.png").write_bytes(b"no image")
    report = predict(network, images(site), tmp_path / "out")
    assert set(report.failed) == {"case_04", "case_07"}
    assert "case_04.png" in report.failed["case_04"]
    assert len(report.written) == 10
    assert set(PredictionFolder(tmp_path / "out").facts["failed"]) == {"case_04", "case_07"}


def test_whole_predictions_are_kept_and_corrupt_ones_made_again(
    site: Path, network: Path, tmp_path: Path
) -> None:
    folder = PredictionFolder(tmp_path / "out")
    predict(network, images(site), folder.root)
    corrupt = folder.label_map("case_02")
    corrupt.write_bytes(corrupt.read_bytes()[:40])
    folder.label_map("case_05").unlink()
    folder.write("case_06", np.zeros((9, 9), np.uint8))
    report = predict(network, images(site), folder.root)
    assert sorted(report.written) == ["case_02", "case_05", "case_06"]
    assert len(report.kept) == 9
    assert folder.read("case_02").shape == SHAPE


def test_an_interrupted_call_goes_on(site: Path, network: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(network, images(site), tmp_path / "out", batch=2, progress=interrupt)
    report = predict(network, images(site), tmp_path / "out")
    assert (len(report.kept), len(report.written)) == (4, 8)


def test_what_was_not_asked_for_before_is_made_now(site: Path, network: Path, tmp_path: Path) -> None:
    predict(network, images(site), tmp_path / "out")
    report = predict(network, images(site), tmp_path / "out", probabilities=True, overlays=True)
    assert len(report.written) == 12
    assert not predict(network, images(site), tmp_path / "out", probabilities=True).written


def test_another_network_keeps_nothing(site: Path, network: Path, tmp_path: Path) -> None:
    predict(network, images(site), tmp_path / "out")
    other = save_known(tmp_path / "other", gain=-2.0)
    report = predict(other, images(site), tmp_path / "out")
    assert len(report.written) == 12


def test_overwrite_makes_everything_again(site: Path, network: Path, tmp_path: Path) -> None:
    predict(network, images(site), tmp_path / "out")
    assert len(predict(network, images(site), tmp_path / "out", overwrite=True).written) == 12


def test_progress_ends_with_every_image(site: Path, network: Path, tmp_path: Path) -> None:
    (site / "images" / "case_07.png").write_bytes(b"no image")
    calls: list[tuple[int, int]] = []
    predict(network, images(site), tmp_path / "out", batch=4, progress=lambda *call: calls.append(call))
    assert calls[0] == (1, 12)
    assert calls[-1] == (12, 12)


def test_cases_in_subfolders_get_a_file_name(tmp_path: Path, network: Path) -> None:
    site = draw_site(tmp_path / "site", cases=2)
    (site / "images" / "patient 1").mkdir()
    (site / "images" / "case_00.png").rename(site / "images" / "patient 1" / "frame.png")
    dataset = images(site / "images")
    predict(network, dataset, tmp_path / "out")
    assert set(PredictionFolder(tmp_path / "out").ids) == set(dataset.ids)
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_other_channels_are_refused(tmp_path: Path, network: Path) -> None:
    grey = draw_site(tmp_path / "grey", channels=1)
    message = r"images of 3 channel\(s\), but the images of .*grey have 1\. Open the data with channels=3"
    with pytest.raises(NetworkError, match=message):
        predict(network, images(grey), tmp_path / "out")
    report = predict(network, images(grey, channels=3), tmp_path / "out")
    assert len(report.written) == 12


def test_channels_that_cannot_be_turned_into_each_other_are_refused(site: Path, tmp_path: Path) -> None:
    network = save_known(tmp_path / "network", channels=4)
    with pytest.raises(NetworkError, match=r"of 4 channel\(s\), .* have 3\. Train a network on such images"):
        predict(network, images(site), tmp_path / "out")


def test_logits_that_are_not_finite_are_refused(site: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"not finite.* The images were case_00, case_01"):
        predict(save_known(tmp_path / "network", Broken), images(site), tmp_path / "out", batch=2)


def test_logits_of_another_size_are_refused(site: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"logits of shape \(8, 2, 32, 32\), expected \(8, 2, 64, 64\)"):
        predict(save_known(tmp_path / "network", Halved), images(site), tmp_path / "out")


def test_a_missing_network_is_refused(site: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="nowhere"):
        predict(tmp_path / "nowhere", images(site), tmp_path / "out")


def test_an_output_that_cannot_be_written_is_named(site: Path, network: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match=r"Cannot write .*out"):
        predict(network, images(site), tmp_path / "out")


def test_options_that_cannot_be_used_are_refused(site: Path, network: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batch is 0"):
        predict(network, images(site), tmp_path / "out", batch=0)
    with pytest.raises(ConfigError, match="device 'abacus' cannot be used here"):
        predict(network, images(site), tmp_path / "out", device="abacus")


def test_auto_takes_a_device_that_is_there() -> None:
    assert torch_device("auto").type in ("cpu", "cuda", "mps")


def test_the_seeds_of_an_arm_predict_together(site: Path, tmp_path: Path) -> None:
    # Alone the first finds what is bright, the second, more certain, the opposite.
    save_known(tmp_path / "arm" / "seed0" / "network", gain=1.0)
    save_known(tmp_path / "arm" / "seed1" / "network", gain=-3.0)
    together, second = PredictionFolder(tmp_path / "both"), PredictionFolder(tmp_path / "second")
    predict(tmp_path / "arm", images(site), together.root)
    predict(tmp_path / "arm" / "seed1", images(site), second.root)
    for case_id in second.ids:
        # Apart from pixels at one half, where rounding decides.
        assert (together.read(case_id) == second.read(case_id)).mean() > 0.99
    # A third seed makes another ensemble: nothing of the first is kept.
    save_known(tmp_path / "arm" / "seed2" / "network", gain=9.0)
    report = predict(tmp_path / "arm", images(site), together.root)
    assert (len(report.written), report.kept) == (12, ())


def test_a_prediction_under_other_flips_is_made_again(site: Path, network: Path, tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path / "out")
    predict(network, images(site), folder.root)
    assert folder.facts["flips"] == [[]]
    assert len(predict(network, images(site), folder.root).kept) == 12
    Brightness.shown.clear()
    report = predict(network, images(site), folder.root, flips=True, batch=12)
    assert (len(report.written), report.kept) == (12, ())
    assert folder.facts["flips"] == [[], [-1], [-2], [-1, -2]]
    assert len(Brightness.shown) == 4
