"""One contract for masks: class ids of any integer type, with or without an axis of one channel."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import ShapeError
from s2s2.objective import ConsistencyLoss, SemanticStacking

CE = nn.CrossEntropyLoss()
IMAGE, SYNTHETIC = torch.rand(2, 4, 3, 8, 8).unbind()
MASK = torch.randint(2, (4, 8, 8))
IGNORE = torch.rand(4, 8, 8) < 0.3


def small(classes: int = 2) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, classes, 1))


def dice(logits: Tensor, mask: Tensor) -> Tensor:
    """Broadcasts where shapes differ, as such losses do."""
    probability = logits.softmax(1)[:, 1]
    return 1 - 2 * (probability * mask).sum() / (probability.sum() + mask.sum())


def objective(loss: Any = CE, weighting: Any = "class") -> SemanticStacking:
    return SemanticStacking(loss, encoder=["0"], consistency=ConsistencyLoss(weighting=weighting))


@pytest.mark.parametrize("channel", [False, True])
@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64]
)
@pytest.mark.parametrize("loss", [CE, dice])
def test_every_form_of_a_mask_gives_the_same_loss(channel: bool, dtype: torch.dtype, loss: Any) -> None:
    network = small()
    expected = objective(loss)(network, IMAGE, SYNTHETIC, MASK)
    mask = MASK.to(dtype)
    got = objective(loss)(network, IMAGE, SYNTHETIC, mask[:, None] if channel else mask)
    assert torch.equal(got, expected)


@pytest.mark.parametrize("mask_channel", [False, True])
@pytest.mark.parametrize("ignore_channel", [False, True])
@pytest.mark.parametrize("weighting", [None, "class"])
def test_what_is_ignored_may_have_a_channel_too(
    mask_channel: bool, ignore_channel: bool, weighting: Any
) -> None:
    network = small()
    expected = objective(dice, weighting).terms(network, IMAGE, SYNTHETIC, MASK, IGNORE)
    mask = MASK[:, None] if mask_channel else MASK
    ignore = IGNORE[:, None] if ignore_channel else IGNORE
    got = objective(dice, weighting).terms(network, IMAGE, SYNTHETIC, mask, ignore)
    torch.testing.assert_close(tuple(got), tuple(expected), rtol=0, atol=0, equal_nan=True)
    features = network[0](IMAGE), network[0](SYNTHETIC)
    loss = ConsistencyLoss(weighting=weighting)
    assert torch.equal(loss(*features, mask, ignore), loss(*features, MASK, IGNORE))


@pytest.mark.parametrize("plain", [False, True])
def test_without_pairs_the_contract_is_the_same(plain: bool) -> None:
    network, plainly = small(), SemanticStacking(CE, alpha_enc=0, w_syn=0)
    mask = (MASK[:, None] if plain else MASK).to(torch.uint8)
    assert torch.equal(plainly(network, IMAGE, None, mask), CE(network(IMAGE), MASK))
    with pytest.raises(ShapeError, match="looks one-hot"):
        plainly(network, IMAGE, None, torch.stack([1 - MASK, MASK], 1))


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (torch.stack([1 - MASK, MASK], 1), r"\(4, 2, 8, 8\): it looks one-hot.*Give mask\.argmax\(1\)"),
        (torch.stack([1 - MASK, MASK], 1).float(), r"looks one-hot.*Give mask\.argmax\(1\)"),
        (torch.stack([1 - MASK, MASK], -1), r"\(4, 8, 8, 2\): it looks one-hot.*Give mask\.argmax\(-1\)"),
        (MASK.float(), r"holds torch\.float32, expected integers.*Give mask\.long\(\)"),
        (MASK[:, None].half(), r"holds torch\.float16, expected integers"),
        (MASK[:1], r"There are 1 masks, of shape \(1, 8, 8\), for logits of shape \(4, 2, 8, 8\)"),
        (MASK[0], r"There are 8 masks"),
        (MASK.flatten(1), r"The mask has shape \(4, 64\), expected class ids"),
        (MASK[:, None, None], r"The mask has shape \(4, 1, 1, 8, 8\), expected class ids"),
    ],
)
@pytest.mark.parametrize("weighting", [None, "class"])
def test_what_is_no_mask_is_refused_by_name(mask: Tensor, message: str, weighting: Any) -> None:
    with pytest.raises(ShapeError, match=message):
        objective(dice, weighting)(small(), IMAGE, SYNTHETIC, mask)


def test_the_distance_alone_refuses_the_same() -> None:
    f, g, loss = *torch.rand(2, 4, 5, 4, 4).unbind(), ConsistencyLoss(weighting="class")
    with pytest.raises(ShapeError, match="looks one-hot"):
        loss(f, g, torch.stack([1 - MASK, MASK], 1))
    with pytest.raises(ShapeError, match="expected integers"):
        loss(f, g, MASK.float())
    with pytest.raises(ShapeError, match=r"ignore must have the mask's shape \(4, 8, 8\), got \(4, 4, 4\)"):
        loss(f, g, MASK, IGNORE[:, ::2, ::2])
    for weighting in (None, "class"):
        with pytest.raises(ShapeError, match="do not fit"):
            ConsistencyLoss(weighting=weighting)(f, g, MASK[:2], IGNORE[:2])  # type: ignore[arg-type]


def test_a_negative_id_is_void_only_where_it_is_named() -> None:
    f, g = torch.rand(2, 4, 5, 4, 4).unbind()
    mask = MASK.masked_fill(IGNORE, -100)
    with pytest.raises(ShapeError, match=r"class id -100.*ignore_index=-100"):
        ConsistencyLoss(weighting="class")(f, g, mask)
    named = ConsistencyLoss(weighting="class", ignore_index=-100)(f, g, mask)
    void = ConsistencyLoss(weighting="class")(f, g, MASK.masked_fill(IGNORE, 255))
    assert torch.equal(named, void)


def test_nothing_labelled_leaves_no_class_to_compare() -> None:
    f, g = torch.rand(2, 4, 5, 4, 4, requires_grad=True).unbind()
    void = ConsistencyLoss(weighting="class")(f, g, torch.full((4, 8, 8), 255))
    assert void.item() == 0


def test_logits_without_a_channel_keep_their_mask() -> None:
    def binary(logits: Tensor, mask: Tensor) -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(logits, mask.float())

    bare = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 1, 1), nn.Flatten(1, 2))  # (4, 8, 8)
    loss = SemanticStacking(binary, encoder=["0"])
    assert loss(bare, IMAGE, SYNTHETIC, MASK).isfinite()
    with pytest.raises(
        ShapeError, match=r"the logits have shape \(4, 8, 8\), expected \(batch, class, \*size"
    ):
        loss(bare, IMAGE, SYNTHETIC, MASK, IGNORE)


def test_volumes_keep_the_contract() -> None:
    network = nn.Sequential(nn.Conv3d(1, 4, 1), nn.Conv3d(4, 2, 1))
    image, synthetic = torch.rand(2, 2, 1, 1, 8, 8)  # a depth of 1
    mask = torch.randint(2, (2, 1, 8, 8))
    expected = objective()(network, image, synthetic, mask)
    assert torch.equal(objective()(network, image, synthetic, mask[:, None].to(torch.uint8)), expected)
    with pytest.raises(ShapeError, match=r"\(2, 8, 8\), expected class ids"):
        objective()(network, image, synthetic, mask[:, 0])


def test_logits_of_another_size_than_the_mask_cannot_be_ignored_in() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 2, stride=2), nn.Conv2d(8, 2, 1))

    def upsampled(logits: Tensor, mask: Tensor) -> Tensor:
        return nn.functional.cross_entropy(nn.functional.interpolate(logits, mask.shape[1:]), mask)

    loss = SemanticStacking(upsampled, encoder=["0"])
    assert loss(network, IMAGE, SYNTHETIC, MASK).isfinite()
    with pytest.raises(ShapeError, match=r"logits have shape \(4, 2, 4, 4\).*by logits=lambda"):
        loss(network, IMAGE, SYNTHETIC, MASK, IGNORE)


def test_logits_that_are_stacked_keep_their_mask() -> None:
    """As MONAI's DynUNet returns them in training: (batch, head, class, height, width)."""
    heads = torch.nn.ModuleList([nn.Conv2d(8, 2, 1), nn.Conv2d(8, 2, 1)])

    class Stacked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.heads = nn.Conv2d(3, 8, 1), heads

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            return torch.stack([head(x) for head in self.heads], 1)

    def each(logits: Tensor, mask: Tensor) -> Tensor:
        return CE(logits[:, 0], mask) + CE(logits[:, 1], mask)

    network, loss = Stacked(), SemanticStacking(each, encoder=["stem"])
    expected = loss.terms(network, IMAGE, SYNTHETIC, MASK)
    torch.testing.assert_close(expected.segmentation, each(network(IMAGE), MASK).detach())
    assert torch.equal(loss(network, IMAGE, SYNTHETIC, MASK[:, None]), expected.total)
    features = network.stem(IMAGE), network.stem(SYNTHETIC)
    combined = loss.combine(network(IMAGE), network(SYNTHETIC), MASK, *features)
    torch.testing.assert_close(combined.total, expected.total)
    with pytest.raises(ShapeError, match="looks one-hot"):
        loss(network, IMAGE, SYNTHETIC, torch.stack([1 - MASK, MASK], 1))
    with pytest.raises(ShapeError, match="to be ignored"):
        loss(network, IMAGE, SYNTHETIC, MASK, IGNORE)


def test_one_slice_out_of_several_keeps_its_mask() -> None:
    class Middle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.head = nn.Conv3d(1, 4, 1), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.stem(x)[:, :, 1])

    image, synthetic = torch.rand(2, 4, 1, 3, 8, 8).unbind()
    network = Middle()
    assert torch.equal(
        SemanticStacking(CE, encoder=["stem"])(network, image, synthetic, MASK),
        SemanticStacking(CE, encoder=["stem"])(network, image, synthetic, MASK[:, None].int()),
    )


@pytest.mark.parametrize("depth", [1, 4])
def test_combining_reads_masks_of_volumes(depth: int) -> None:
    logits = torch.rand(2, 2, 3, depth, 8, 8)
    mask = torch.randint(3, (2, depth, 8, 8))
    plain = SemanticStacking(CE, alpha_enc=0)
    expected = plain.combine(*logits, mask).total
    assert torch.equal(plain.combine(*logits, mask[:, None]).total, expected)
    with pytest.raises(ShapeError, match="looks one-hot"):
        plain.combine(*logits, torch.stack([mask, mask], 1))
