"""Logits in lists, dicts and dataclasses; what a user computed; what comes back for logging."""

from __future__ import annotations

import copy
import math
import pickle
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from s2s2.errors import ConfigError, NetworkError, ShapeError, TapError
from s2s2.objective import ConsistencyLoss, SemanticStacking, Tap, Terms
from s2s2.objective.taps.outputs import map_tensors

CE = nn.CrossEntropyLoss()
IMAGE, SYNTHETIC = torch.rand(2, 4, 3, 8, 8).unbind()
MASK = torch.randint(2, (4, 8, 8))


class Deep(nn.Module):
    """Returns logits of several scales, in a structure of choice."""

    def __init__(self, pack: Any = list) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.pack = nn.Conv2d(3, 8, 3, padding=1), pack
        self.heads = nn.ModuleList([nn.Conv2d(8, 2, 1) for _ in range(3)])

    def forward(self, x: Tensor) -> Any:
        x = self.encoder(x)
        return self.pack([head(F.avg_pool2d(x, 2**n)) for n, head in enumerate(self.heads)])


def deep_supervision(logits: Any, mask: Tensor) -> Tensor:
    return sum(F.cross_entropy(z, mask[:, :: 2**n, :: 2**n]) / 2**n for n, z in enumerate(logits))  # type: ignore[return-value]


class Named(NamedTuple):
    out: Tensor
    aux: list[Tensor]


@dataclass
class Record:
    out: Tensor
    aux: tuple[Tensor, ...]
    note: str = "text"


PACKS = {
    "list": (list, lambda z: z),
    "tuple": (tuple, lambda z: z),
    "dict": (lambda z: {"out": z[0], "aux": z[1:]}, lambda z: [z["out"], *z["aux"]]),
    "ordered dict": (lambda z: OrderedDict(out=z[0], aux=z[1:]), lambda z: [z["out"], *z["aux"]]),
    "named tuple": (lambda z: Named(z[0], z[1:]), lambda z: [z.out, *z.aux]),
    "dataclass": (lambda z: Record(z[0], tuple(z[1:])), lambda z: [z.out, *z.aux]),
    "nested, with others": (lambda z: {"all": (z, None, 3, "text")}, lambda z: z["all"][0]),
}


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_any_structure_of_logits_reaches_the_loss(name: str, form: Any) -> None:
    pack, unpack = PACKS[name]
    network = Deep(pack)
    expected = [deep_supervision(unpack(network(x)), MASK) for x in (IMAGE, SYNTHETIC)]
    objective = SemanticStacking(
        lambda logits, mask: deep_supervision(unpack(logits), mask), encoder=["encoder"], forward_pass=form
    )
    terms = objective.terms(network, IMAGE, SYNTHETIC, MASK)
    torch.testing.assert_close(terms.segmentation, expected[0].detach())
    torch.testing.assert_close(terms.synthetic, expected[1].detach())
    assert type(terms.logits) is type(network(IMAGE))
    for image, logits in ((IMAGE, terms.logits), (SYNTHETIC, terms.synthetic_logits)):
        for got, wanted in zip(unpack(logits), unpack(network(image)), strict=True):
            torch.testing.assert_close(got, wanted.detach())
            assert not got.requires_grad


def test_outputs_of_transformers_keep_their_type() -> None:
    from transformers.modeling_outputs import SemanticSegmenterOutput

    network = Deep(lambda z: SemanticSegmenterOutput(logits=z[0], hidden_states=tuple(z[1:])))
    for loss, logits in (
        (lambda output, mask: CE(output.logits, mask), None),
        (lambda output, mask: CE(output["logits"], mask), None),
        (CE, lambda output: output.logits),
    ):
        objective = SemanticStacking(loss, encoder=["encoder"], logits=logits)
        expected = CE(network(IMAGE).logits, MASK).detach()
        torch.testing.assert_close(objective.terms(network, IMAGE, SYNTHETIC, MASK).segmentation, expected)


def test_changing_tensors_keeps_the_kind_of_a_container() -> None:
    counts = defaultdict(list, {"a": torch.zeros(2)})
    changed = map_tensors(lambda x: x + 1, counts)
    assert isinstance(changed, defaultdict)
    assert changed["b"] == []
    assert counts["a"].sum() == 0
    assert torch.equal(changed["a"], torch.ones(2))


@pytest.mark.parametrize("pack", [dict.fromkeys, lambda z: {"out": z[0]}, lambda z: z])
def test_a_loss_that_takes_no_structure_is_named(pack: Any) -> None:
    network = Deep(lambda z: pack(z) if pack is not dict.fromkeys else {"nothing": "text"})
    with pytest.raises(NetworkError, match=r"returned (dict|list) where logits were expected.*logits=lambda"):
        SemanticStacking(CE, encoder=["encoder"])(network, IMAGE, SYNTHETIC, MASK)


def test_an_error_inside_a_loss_of_tensors_stays_what_it_is() -> None:
    def broken(logits: Tensor, mask: Tensor) -> Tensor:
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        SemanticStacking(broken, alpha_enc=0)(Deep(lambda z: z[0]), IMAGE, SYNTHETIC, MASK)


def test_what_has_no_batch_cannot_be_split() -> None:
    network = Deep(lambda z: {"logits": z[0], "loss": z[0].mean()})
    objective = SemanticStacking(lambda z, mask: CE(z["logits"], mask), encoder=["encoder"])
    with pytest.raises(ShapeError, match=r"'logits' have shape \(\) for 8 images.*logits alone.*'separate'"):
        objective(network, IMAGE, SYNTHETIC, MASK)
    objective = SemanticStacking(objective.segmentation_loss, encoder=["encoder"], forward_pass="separate")
    assert objective(network, IMAGE, SYNTHETIC, MASK).isfinite()


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_pixels_are_ignored_in_every_tensor_of_full_size(form: Any) -> None:
    ignore = torch.rand(4, 8, 8) < 0.3
    network = Deep(lambda z: {"out": z[0], "aux": -z[0]})
    objective = SemanticStacking(
        lambda z, mask: CE(z["out"], mask) + CE(z["aux"], mask), alpha_enc=0, forward_pass=form
    )
    got = objective.terms(network, IMAGE, SYNTHETIC, MASK, ignore).synthetic
    one = Deep(lambda z: z[0])
    two = Deep(lambda z: -z[0])
    plain = SemanticStacking(CE, alpha_enc=0)
    expected = [plain.terms(net, IMAGE, SYNTHETIC, MASK, ignore).synthetic for net in (one, two)]
    torch.testing.assert_close(got, sum(expected))
    with pytest.raises(ShapeError, match=r"the logits have shape \(4, 2, 4, 4\)"):
        SemanticStacking(deep_supervision, alpha_enc=0)(Deep(), IMAGE, SYNTHETIC, MASK, ignore)


def plain() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 2, 1))


def test_terms_stay_a_tuple_of_scalars_with_the_logits_beside() -> None:
    network = plain()
    terms = SemanticStacking(CE, encoder=["0"]).terms(network, IMAGE, SYNTHETIC, MASK)
    assert list(terms._asdict()) == [
        "total",
        "segmentation",
        "synthetic",
        "encoder",
        "decoder",
        "fused",
    ]
    assert all(value.ndim == 0 for value in terms)
    total, segmentation, *_ = terms
    assert total.requires_grad
    assert segmentation is terms.segmentation
    torch.testing.assert_close(terms.logits, network(IMAGE).detach())
    torch.testing.assert_close(terms.synthetic_logits, network(SYNTHETIC).detach())
    assert terms.logits.requires_grad is terms.synthetic_logits.requires_grad is False
    for twin in (copy.copy(terms), pickle.loads(pickle.dumps(terms._replace(total=total.detach())))):
        assert isinstance(twin, Terms)
    without = SemanticStacking(CE, alpha_enc=0, w_syn=0).terms(network, IMAGE, None, MASK)
    assert without.synthetic_logits is None
    assert torch.equal(without.logits, network(IMAGE))


def test_combining_what_was_computed_is_a_step() -> None:
    network = plain()
    objective = SemanticStacking(CE, encoder=["0"], decoder=["1"], alpha_enc=0.4, alpha_dec=0.3, w_syn=0.7)
    ignore = torch.rand(4, 8, 8) < 0.3
    for given in (None, ignore):
        expected = objective.terms(network, IMAGE, SYNTHETIC, MASK, given)
        features = []
        for image in (IMAGE, SYNTHETIC):
            encoder = network[0](image)
            features.append({"encoder": encoder, "decoder": [network[1](encoder)]})
        logits = [network(image) for image in (IMAGE, SYNTHETIC)]
        terms = objective.combine(*logits, MASK[:, None].to(torch.uint8), *features, ignore=given)
        torch.testing.assert_close(tuple(terms), tuple(expected), equal_nan=True)
        torch.testing.assert_close(terms.logits, expected.logits)
        network.zero_grad()
        terms.total.backward()
        assert network[0].weight.grad is not None


@pytest.mark.parametrize("pack", [lambda f: f, lambda f: [f], lambda f: {"stage": f}])
@pytest.mark.parametrize("encoder", [None, ["never looked up"]])
def test_features_are_given_in_any_structure(pack: Any, encoder: Any) -> None:
    f, g = torch.rand(2, 4, 5, 4, 4, requires_grad=True).unbind()
    logits = torch.rand(2, 4, 2, 8, 8)
    terms = SemanticStacking(CE, encoder=encoder).combine(*logits, MASK, pack(f), pack(g))
    torch.testing.assert_close(terms.encoder, ConsistencyLoss()(f, g).detach())
    assert math.isnan(terms.decoder)


def test_options_of_taps_hold_in_their_order() -> None:
    f, g = torch.rand(2, 4, 4, 4, 5, requires_grad=True).unbind()
    logits = torch.rand(2, 4, 2, 8, 8)
    objective = SemanticStacking(CE, encoder=[Tap("a", channel_dim=-1, weight=0.5), "b"])
    terms = objective.combine(*logits, MASK, [f, f.movedim(-1, 1)], [g, g.movedim(-1, 1)])
    expected = 1.5 * ConsistencyLoss(channel_dim=-1)(f, g)
    torch.testing.assert_close(terms.encoder, expected.detach())
    with pytest.raises(ConfigError, match="There are 1 encoder features for 2 taps with options"):
        objective.combine(*logits, MASK, f, g)


def test_what_is_missing_from_a_combination_is_named() -> None:
    f, g = torch.rand(2, 4, 5, 4, 4, requires_grad=True).unbind()
    z, y = torch.rand(2, 4, 2, 8, 8).unbind()
    objective = SemanticStacking(CE, encoder=None, decoder=None, alpha_dec=0.1)
    with pytest.raises(ConfigError, match=r"w_syn is 1\.0, but there are no logits of the synthetic image"):
        objective.combine(z, None, MASK, f, g)
    with pytest.raises(ConfigError, match=r"alpha_enc is 0\.4, but there are no encoder features"):
        objective.combine(z, y, MASK)
    with pytest.raises(ConfigError, match=r"alpha_dec is 0\.1, but there are no decoder features"):
        objective.combine(z, y, MASK, f, g)
    with pytest.raises(
        ShapeError, match=r"has the features encoder:0, encoder:1, the synthetic one encoder:0"
    ):
        objective.combine(z, y, MASK, [f, f], [g])
    objective = SemanticStacking(CE, encoder=None)
    with pytest.raises(TapError, match="'encoder' carry no gradient"):
        objective.combine(z, y, MASK, f.detach(), g.detach())
    with pytest.raises(ShapeError, match="looks one-hot"):
        objective.combine(z, y, torch.stack([MASK, 1 - MASK], 1), f, g)
    with pytest.raises(ConfigError, match=r"alpha_enc is 0\.4, but there are no encoder features to read"):
        objective(plain(), IMAGE, SYNTHETIC, MASK)
    alone = SemanticStacking(CE, encoder=None, w_syn=0).combine(z, None, MASK, f, g)
    assert math.isnan(alone.synthetic)
    assert alone.synthetic_logits is None
    one_sided = SemanticStacking(CE, encoder=None).combine(z, y, MASK, f, g.detach())
    assert one_sided.total.requires_grad


def test_a_weight_that_is_raised_later_needs_its_tap() -> None:
    objective = SemanticStacking(CE, alpha_enc=0)
    objective.alpha_enc = 0.4
    with pytest.raises(ConfigError, match=r"alpha_enc is 0\.4, but there are no encoder features"):
        objective(plain(), IMAGE, SYNTHETIC, MASK)
