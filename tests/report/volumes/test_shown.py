from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from s2s2.data import Dataset
from s2s2.data.volumes.masks import volume_mask
from s2s2.errors import EvaluationError
from s2s2.evaluation.folder import PredictionFolder
from s2s2.report.gallery import DomainExamples, examples, stack_rows
from s2s2.report.pairs import seen_pairs
from s2s2.report.volumes.shown import ShownVolume
from tests.report.fake import FakeRun
from tests.report.volumes.fake import ARMS, HOSTILE, predictions_of, volume_run


@pytest.fixture(scope="module")
def found(volume_fake: FakeRun) -> DomainExamples:
    return examples(volume_fake.results, volume_fake.tests["away"], "away")


def shown(fake: FakeRun, name: str, domain: str = "away", **options: int) -> ShownVolume:
    dataset = fake.tests[domain]
    volume = next(each for each in dataset.volumes if each.id == name)
    folders = {arm: predictions_of(fake, arm, domain) for arm in ARMS}
    return ShownVolume.read(dataset, volume, folders, **({"side": 64, "most": 12} | options))


def grey(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("L")).astype(int)


def test_volumes_are_chosen_by_the_dice_of_the_whole(found: DomainExamples, volume_fake: FakeRun) -> None:
    rows = volume_fake.results.case_values()
    table = rows[rows["domain"] == "away"].pivot(index="case", columns="arm", values="dice")
    own, gains = table["s2s2"], table["s2s2"] - table["baseline"]
    assert [each.case for each in found.by_score[::2]] == [own.idxmax(), own.idxmin()]
    assert [each.case for each in found.by_gain[::2]] == [gains.idxmax(), gains.idxmin()]
    best = found.by_score[0]
    assert best.scores == f"baseline {table['baseline'][best.case]:.2f}, s2s2 {own[best.case]:.2f}"


def test_the_slices_are_the_fullest_and_the_worst(volume_fake: FakeRun) -> None:
    each = shown(volume_fake, "p9_a")
    mask = volume_mask(each.dataset, each.volume)
    sizes = [(labels > 0).sum() for labels in mask]
    fullest, worst = each.views()
    assert re.match(r"slice (\d) of 6, where the mask is largest$", fullest.words)
    assert sizes[int(fullest.words[6]) - 1] == max(sizes)
    # The further up, the further the prediction is shifted; the last slice holds nothing.
    assert worst.words == "slice 5 of 6, with the lowest Dice of s2s2"
    lowest = float(np.nanmin(each.dice["s2s2"]))
    assert [panel.label for panel in worst.panels] == ["baseline", "s2s2"]
    assert worst.panels[1].score == f"{lowest:.2f}"
    assert (
        worst.panels[1].alt
        == "p9_a from away, slice 5 of 6: borders of the mask and of the prediction of s2s2"
    )


def test_the_slider_goes_through_what_holds_something(found: DomainExamples) -> None:
    assert {each.volume for each in found.viewers} == {
        each.case for each in (*found.by_gain, *found.by_score)
    }
    for viewer in found.viewers:
        assert [view.words for view in viewer.views] == [f"slice {n} of 6" for n in range(2, 6)]
        assert all(panel.truth and panel.prediction for view in viewer.views for panel in view.panels)
        assert 0 <= viewer.start < len(viewer.views)
        start = viewer.views[viewer.start].words
        mine = [each for each in (*found.by_gain, *found.by_score) if each.case == viewer.volume]
        assert all(each.views[0].words.startswith(start + ", where the mask is largest") for each in mine)
        assert viewer.why == "; ".join(each.why for each in mine)


def test_every_picture_is_on_the_page_once(found: DomainExamples) -> None:
    placed = [view for each in (*found.by_gain, *found.by_score, *found.viewers) for view in each.views]
    assert [view.key for view in placed if view.first] == list(dict.fromkeys(view.key for view in placed))
    assert all(re.fullmatch(r"slice-[0-9a-f]+", view.key) for view in placed)
    assert len({view.panels[0].uri for view in placed}) == len({view.key for view in placed})


def test_all_slices_are_shown_in_one_range(volume_fake: FakeRun) -> None:
    each = shown(volume_fake, "p9_a")
    views = list(each.slices.values())
    images = np.stack([each.dataset.image(each.volume.cases[stop])[0] for stop in each.stops])
    low, high = np.percentile(images, (0.5, 99.5))
    expected = np.clip((images - low) / (high - low), 0, 1).mean((1, 2)) * 255
    np.testing.assert_allclose([grey(view.panels[0].uri).mean() for view in views], expected, atol=3)


def test_slices_are_shown_in_true_proportions(volume_fake: FakeRun) -> None:
    panel = shown(volume_fake, "p9_a").views()[0].panels[0]
    # 48 rows of 1.2 mm and 40 columns of 1.5 mm.
    assert panel.width / panel.height == pytest.approx(40 * 1.5 / (48 * 1.2), rel=0.03)


def test_an_empty_mask_and_nothing_at_all_have_their_slices(volume_fake: FakeRun) -> None:
    each = shown(volume_fake, "p9_a")
    empty, own = np.zeros_like(each.mask), each.found["s2s2"]
    invented = ShownVolume(each.dataset, each.volume, empty, {"s2s2": own}, 64)
    assert "where most was predicted; the mask is empty" in invented.views()[0].words
    assert invented.views()[0].panels[0].score == "0.00"
    nothing = ShownVolume(each.dataset, each.volume, empty, {"s2s2": empty}, 64)
    (view,) = nothing.views()
    assert (view.panels[0].score, view.panels[0].truth, view.panels[0].prediction) == ("–", "", "")
    assert len(nothing.viewer("").views) == 6


def test_one_slice_can_be_both(volume_fake: FakeRun) -> None:
    each = shown(volume_fake, "p9_a")
    lone = np.zeros_like(each.mask)
    lone[3] = each.mask[3]
    both = ShownVolume(each.dataset, each.volume, lone, {"s2s2": lone}, 64)
    assert [view.words for view in both.views()] == [
        "slice 4 of 6, where the mask is largest and with the lowest Dice of s2s2"
    ]


def test_fewer_slices_where_less_room_is(volume_fake: FakeRun) -> None:
    each = shown(volume_fake, "p9_a", most=2)
    assert len(each.stops) == 2
    assert {each.largest, each.worst} == set(each.stops)


def test_volumes_without_a_prediction_are_left_out(volume_fake: FakeRun, tmp_path: Path) -> None:
    fake = volume_fake.copied(tmp_path)
    folder = predictions_of(fake, "s2s2", "away")
    folder.label_map(HOSTILE, ".nii.gz").unlink()
    found = examples(fake.results, fake.tests["away"], "away")
    assert HOSTILE not in {each.volume for each in found.viewers}
    assert found.viewers


def test_a_prediction_on_another_grid_is_named(volume_fake: FakeRun, tmp_path: Path) -> None:
    fake = volume_fake.copied(tmp_path)
    path = predictions_of(fake, "s2s2", "away").label_map("p7_a", ".nii.gz")
    stored = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(stored.dataobj)[:-1], stored.affine), path)
    with pytest.raises(EvaluationError, match=r"'p7_a' cannot be used: .* another grid"):
        examples(fake.results, fake.tests["away"], "away")


def test_the_stack_names_volume_and_slice(volume_fake: FakeRun) -> None:
    rows = stack_rows(volume_fake.train, volume_fake.stack)
    assert all(re.fullmatch(r"p0_[ab], slice [1-6] of 6", row.words) for row in rows)
    assert all(row.words in row.panels[0].alt for row in rows)


def test_slices_with_neighbours_are_shown_without_them(volume_fake: FakeRun, tmp_path: Path) -> None:
    thick = volume_run(tmp_path, neighbours=1)
    assert thick.train.channels == 3
    ours, theirs = (stack_rows(fake.train, fake.stack) for fake in (thick, volume_fake))
    assert [panel.uri for panel in ours[0].panels] == [panel.uri for panel in theirs[0].panels]
    pair = seen_pairs(thick.train, thick.stack, thick.config.train, 0)[0]
    assert "slice" in pair.panels[0].alt
    first, second = (examples(fake.results, fake.tests["home"], "home") for fake in (thick, volume_fake))
    assert first.by_gain[0].panels[0].uri == second.by_gain[0].panels[0].uri


def test_slices_in_files_of_their_own_are_shown_as_a_volume(volume_fake: FakeRun, tmp_path: Path) -> None:
    whole = shown(volume_fake, "p7_a")
    rows = ["image,mask,case,volume,slice,spacing_mm"]
    rows += [
        f"{case.image_path},{case.mask_path},c{case.slice},v,{case.slice},6 1.2 1.5"
        for case in whole.volume.cases
    ]
    (tmp_path / "slices.csv").write_text("\n".join(rows) + "\n")
    dataset = Dataset.open(tmp_path / "slices.csv", class_map=whole.dataset.class_map)
    (volume,) = dataset.volumes
    folders = {arm: PredictionFolder(tmp_path / arm) for arm in ARMS}
    for arm, folder in folders.items():
        for case, labels in zip(volume.cases, whole.found[arm], strict=True):
            folder.write(case.id, labels.astype(np.uint8))
    flat = ShownVolume.read(dataset, volume, folders, 64, 12)
    assert [view.words for view in flat.views()] == [view.words for view in whole.views()]
    for ours, theirs in zip(flat.views(), whole.views(), strict=True):
        assert [panel.prediction for panel in ours.panels] == [panel.prediction for panel in theirs.panels]
        assert ours.panels[0].uri == theirs.panels[0].uri
    folders["s2s2"].write("c3", np.zeros((5, 7), np.uint8))
    with pytest.raises(
        EvaluationError, match=r"c3\.png is 5 x 7 pixels .* first slice of volume 'v' 48 x 40"
    ):
        ShownVolume.read(dataset, volume, folders, 64, 12)
