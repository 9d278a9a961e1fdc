from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from s2s2.audit import AuditConfig, Segmenters
from s2s2.audit.fidelity import agreement
from s2s2.audit.folds import make_folds
from s2s2.data import Dataset
from s2s2.errors import AuditError, ConfigError
from s2s2.networks.checkpoint import load_network
from tests.audit.made import QUICK, Home
from tests.drawn import draw_site

TRUSTED = (QUICK.network.name,)


def test_no_network_judges_a_group_that_it_has_seen(judges: Segmenters, small: Home) -> None:
    group = {case.id: case.group for case in small.train}
    judged: list[str] = []
    for number, fold in enumerate(judges.folds):
        _, card = load_network(small.judges / f"fold{number}" / "network", trust=TRUSTED)
        seen = {group[case_id] for part in card.split.values() for case_id in part}
        assert not seen & {group[case_id] for case_id in fold.judged}
        assert {judges.fold_of(case_id) for case_id in fold.judged} == {number}
        judged += fold.judged
    assert sorted(judged) == sorted(small.split.train)


def test_the_judging_network_is_that_of_the_fold(judges: Segmenters, small: Home) -> None:
    """By hand: load the network that never saw the group, run it on the padded image."""
    import torch

    for case in small.train:
        number = next(n for n, fold in enumerate(judges.folds) if case.id in fold.judged)
        network, card = load_network(small.judges / f"fold{number}" / "network", trust=TRUSTED)
        image, mask = small.train.image(case), small.train.mask(case)
        padded = np.zeros((1, 3, 32, 32), np.float32)
        padded[0, :, : mask.shape[0]] = image
        with torch.no_grad():
            labels = network(card.normalisation(torch.from_numpy(padded))).argmax(1)[0].numpy()
        expected = agreement(labels[: mask.shape[0]].astype(np.uint8), mask, 2).mean
        assert judges(image[None], mask[None], [case.id])[0] == pytest.approx(expected)


def test_an_image_that_was_padded_to_a_square_is_judged_alike(judges: Segmenters, small: Home) -> None:
    case = small.train[0]
    image, mask = small.train.image(case), small.train.mask(case)
    below = 32 - mask.shape[0]
    assert below > 0
    padded = np.pad(image, ((0, 0), (0, below), (0, 0)))
    labels = judges.predict(padded[None], [case.id])[0]
    assert (labels[: mask.shape[0]] == judges.predict(image[None], [case.id])[0]).all()


def test_a_large_image_is_judged_on_the_grid_of_the_judges(small: Home, tmp_path: Path) -> None:
    large = small.train.resized(64)
    judges = Segmenters.fit(large, tmp_path, QUICK)
    assert judges.size == 32
    case = large[0]
    assert judges.predict(large.image(case)[None], [case.id]).shape == (1, *large.mask(case).shape)


def test_judges_that_are_trained_are_kept(judges: Segmenters, small: Home) -> None:
    weights = small.judges / "fold0" / "network" / "weights.safetensors"
    before = weights.stat().st_mtime_ns
    asked: list[str] = []
    again = Segmenters.fit(
        small.split.training(small.dataset),
        small.judges,
        QUICK,
        lambda done, total, words: asked.append(words),
    )
    assert weights.stat().st_mtime_ns == before
    assert again.digest == judges.digest
    assert not asked


def test_judges_trained_side_by_side(small: Home, tmp_path: Path) -> None:
    from dataclasses import replace

    heard: list[tuple[int, int, str]] = []
    judges = Segmenters.fit(small.train, tmp_path, replace(QUICK, jobs=2), lambda *words: heard.append(words))
    assert len(judges.folds) == 2
    assert heard[-1][:2] == (4, 4)
    assert judges.digest


def test_a_case_that_no_judge_was_kept_from_is_refused(judges: Segmenters, small: Home) -> None:
    case = small.dataset.case(small.split.test[0])
    with pytest.raises(AuditError, match=r"was held out of no segmenter.*fit them on the split"):
        judges.predict(small.dataset.image(case)[None], [case.id])


def test_one_group_cannot_be_judged(tmp_path: Path) -> None:
    dataset = Dataset.open(draw_site(tmp_path, cases=4, frames_per_group=4), size=32)
    with pytest.raises(AuditError, match=r"are of 1 group.*two groups are needed"):
        Segmenters.fit(dataset, tmp_path / "judges", QUICK)


def test_two_groups_make_two_folds(tmp_path: Path) -> None:
    dataset = Dataset.open(draw_site(tmp_path, cases=6, frames_per_group=3), size=32)
    folds = make_folds(dataset, 5, seed=0)
    assert len(folds) == 2
    for fold in folds:
        # One group to learn from, so its own cases choose the weights.
        assert fold.train == fold.validation
        assert not set(fold.train) & set(fold.judged)


@pytest.mark.parametrize(
    "wrong", [{"folds": 1}, {"quantile": 0.0}, {"ratio_quantile": 0.5}, {"images_per_step": 3}, {"jobs": -1}]
)
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=f"--audit.{next(iter(wrong))}"):
        AuditConfig(**wrong)  # type: ignore[arg-type]
