from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from s2s2.data import Dataset
from s2s2.data.checking.defects import defect_of
from s2s2.errors import ConfigError, SplitError
from s2s2.generators import RandConv, RandConvConfig, build_generator
from tests.drawn import draw_site
from tests.generators.made import drawn, split_of


def fitted(root: Path, **made: int) -> tuple[RandConv, Dataset]:
    dataset = drawn(root, **made)
    return RandConv().fit(dataset, split_of(dataset)), dataset


@pytest.mark.parametrize("kind", ["convolution", "curve", "either"])
def test_a_hundred_copies_are_all_different_and_none_is_blank(kind: str, tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    generator = build_generator(f"randconv(kind='{kind}')").fit(dataset, split_of(dataset))
    copies = generator.sample(dataset.cases[0], 100, 0)
    steps = np.rint(copies * 255).astype(np.uint8)
    assert len({copy.tobytes() for copy in steps}) == 100
    assert [defect_of(copy) for copy in copies] == [""] * 100


@pytest.mark.parametrize("made", [{"channels": 1}, {"bits": 16, "channels": 2}, {"classes": 20}])
def test_any_channels_bits_and_classes(made: dict[str, int], tmp_path: Path) -> None:
    generator, dataset = fitted(tmp_path, **made)
    for case in (dataset.cases[0], dataset.cases[-1]):
        copies = generator.sample(case, 20, 0)
        assert 0 <= copies.min() <= copies.max() <= 1
        assert [defect_of(copy) for copy in copies] == [""] * 20


@pytest.mark.parametrize("foreground", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_one_colour_gives_no_blank_copy(foreground: bool, channels: int, tmp_path: Path) -> None:
    generator, dataset = fitted(tmp_path, channels=channels)
    case = dataset.cases[0]
    mask = np.zeros((40, 56), np.uint8)
    mask[10:20, 10:20] = foreground
    flat = np.full((channels, 40, 56), 0.4, np.float32)
    for seed in range(100):
        copy = generator.restyle(flat, mask, np.random.default_rng(seed), case)
        assert defect_of(copy) == ""


def regions_move(generator: RandConv, case: object, image: np.ndarray, mask: np.ndarray) -> list[float]:
    """How far a square of the image's own colour stands out of it, copy by copy."""
    found = []
    for seed in range(40):
        copy = generator.restyle(image, mask, np.random.default_rng(seed), case)  # type: ignore[arg-type]
        found.append(abs(float(copy[:, 20:28, 20:28].mean() - copy[:, 20:28, 36:44].mean())))
    return found


def test_a_class_moves_on_its_own_where_it_is_labelled_and_not_elsewhere(tmp_path: Path) -> None:
    dataset = drawn(tmp_path)
    case = dataset.cases[0]
    # A horizontal ramp has the same colours in both squares' rows, but for its slope.
    image = np.repeat(np.linspace(0.3, 0.6, 40, dtype=np.float32)[None, :, None], 56, axis=2).repeat(
        3, axis=0
    )
    mask = np.zeros((40, 56), np.uint8)
    mask[18:30, 18:30] = 1
    options = {"kind": "convolution", "tint": 0.0, "tissues": 1, "width": 0.0}
    apart = RandConv(RandConvConfig(apart=1.0, **options)).fit(dataset, split_of(dataset))  # type: ignore[arg-type]
    whole = RandConv(RandConvConfig(apart=0.0, **options)).fit(dataset, split_of(dataset))  # type: ignore[arg-type]
    assert np.median(regions_move(apart, case, image, mask)) > 0.05
    assert max(regions_move(whole, case, image, mask)) < 1e-3


@pytest.mark.parametrize("kind", ["convolution", "curve"])
def test_gentle_styles_keep_polarity_and_wide_ones_turn_it_in_half_of_the_copies(
    kind: str, tmp_path: Path
) -> None:
    dataset = drawn(tmp_path, channels=1)
    case = dataset.cases[0]
    ramp = np.linspace(0.1, 0.9, 56, dtype=np.float32)[None, None].repeat(40, axis=1)
    mask = np.zeros((40, 56), np.uint8)

    def turned(width: float) -> float:
        config = RandConvConfig(kind=kind, apart=0.0, width=width, tissues=1)  # type: ignore[arg-type]
        generator = RandConv(config).fit(dataset, split_of(dataset))
        copies = [generator.restyle(ramp, mask, np.random.default_rng(seed), case) for seed in range(80)]
        if kind == "curve":
            return float(np.mean([copy[0, 20, :8].mean() > copy[0, 20, -8:].mean() for copy in copies]))
        # A random network need not be monotone: bright and dark as a whole are what must stay.
        return float(np.mean([np.corrcoef(copy.ravel(), ramp.ravel())[0, 1] < 0 for copy in copies]))

    assert turned(0.0) == 0
    assert 0.3 < turned(1.0) < 0.7


def test_borders_are_smooth(tmp_path: Path) -> None:
    generator, _ = fitted(tmp_path)
    mask = np.zeros((40, 56), np.uint8)
    mask[:, 28:] = 1
    weights = generator._regions(np.full((3, 40, 56), 0.5, np.float32), mask)
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-5)
    across = weights[0][20]
    assert (np.diff(across) >= -1e-6).all()
    assert 2 <= int(((across > 0.01) & (across < 0.99)).sum()) <= 6


def test_one_patient_is_enough(tmp_path: Path) -> None:
    draw_site(tmp_path, cases=3)
    (tmp_path / "groups.csv").write_text("case,group\n" + "".join(f"case_{n:02},one\n" for n in range(3)))
    dataset = Dataset.open(tmp_path, size=32)
    split = split_of(dataset)
    for spec in ("randconv", "boxes", "randconv+boxes"):
        assert build_generator(spec).fit(dataset, split).sample(dataset.cases[0], 1, 0).shape[0] == 1
    with pytest.raises(SplitError, match="two groups"):
        build_generator("appearance").fit(dataset, split)


def test_a_copy_keeps_its_bytes_when_many_threads_compute(tmp_path: Path) -> None:
    generator, dataset = fitted(tmp_path)
    case = dataset.cases[0]
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 4):
            torch.set_num_threads(threads)
            found.append(generator.sample(case, 3, 0).tobytes())
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 1.5}, "width must lie in 0.0 to 1.0, got 1.5"),
        ({"kind": "wavelet"}, "kind must be one of convolution, curve, either, got 'wavelet'"),
        ({"tissues": 0}, "tissues must lie in 1 to 16, got 0"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RandConvConfig(**options)  # type: ignore[arg-type]
