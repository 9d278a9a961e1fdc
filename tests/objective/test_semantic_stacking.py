from __future__ import annotations

import copy
import gc
import math
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import ConfigError, NetworkError, ShapeError, TapError
from s2s2.objective import ConsistencyLoss, SemanticStacking, Terms

IMAGE, SYNTHETIC = torch.rand(2, 4, 3, 8, 8).unbind()
MASK = torch.randint(2, (4, 8, 8))
CE = nn.CrossEntropyLoss()


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))


def test_returns_every_term_and_their_weighted_sum() -> None:
    objective = SemanticStacking(CE, encoder=["0"], decoder=["1"], w_syn=0.7, alpha_enc=0.4, alpha_dec=0.2)
    terms = objective.terms(small(), IMAGE, SYNTHETIC, MASK)
    assert isinstance(terms, Terms)
    total = terms.segmentation + 0.7 * terms.synthetic + 0.4 * terms.encoder + 0.2 * terms.decoder
    torch.testing.assert_close(terms.total, total)


def test_the_call_returns_the_total() -> None:
    objective, network = SemanticStacking(CE, encoder=["0"]), small()
    total = objective.terms(network, IMAGE, SYNTHETIC, MASK).total
    assert torch.equal(objective(network, IMAGE, SYNTHETIC, MASK), total)


def test_several_taps_a_side_are_summed() -> None:
    network = small()

    def encoder(*names: str) -> Tensor:
        return SemanticStacking(CE, encoder=names).terms(network, IMAGE, SYNTHETIC, MASK).encoder

    torch.testing.assert_close(encoder("0", "1"), encoder("0") + encoder("1"))


def test_a_term_of_weight_0_is_measured_but_not_learnt() -> None:
    network = small()
    objective = SemanticStacking(CE, encoder=["0"], alpha_enc=0.0, decoder=["1"])
    terms = objective.terms(network, IMAGE, SYNTHETIC, MASK)
    assert terms.encoder > 0
    assert terms.decoder > 0
    torch.testing.assert_close(terms.total, terms.segmentation + terms.synthetic)


def test_a_term_that_is_not_measured_is_nan() -> None:
    terms = SemanticStacking(CE, alpha_enc=0.0).terms(small(), IMAGE, SYNTHETIC, MASK)
    assert math.isnan(terms.encoder)
    assert math.isnan(terms.decoder)
    assert terms.total.isfinite()


def test_a_pair_of_one_image_is_consistent_already() -> None:
    terms = SemanticStacking(CE, encoder=["0"]).terms(small(), IMAGE, IMAGE, MASK)
    assert terms.encoder.item() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(terms.segmentation, terms.synthetic)


def test_the_mask_reaches_the_consistency() -> None:
    network, rare = small(), torch.zeros_like(MASK)
    rare[:, 0, 0] = 1
    losses = [
        SemanticStacking(CE, encoder=["0"], consistency=ConsistencyLoss(weighting=w)) for w in (None, "class")
    ]
    plain, balanced = (loss.terms(network, IMAGE, SYNTHETIC, rare).encoder for loss in losses)
    assert not torch.isclose(plain, balanced)


def test_takes_the_logits_out_of_other_outputs() -> None:
    class Dict(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = small()

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"out": self.body(x)}

    network = Dict()
    objective = SemanticStacking(CE, encoder=["body.0"], logits=lambda output: output["out"])
    same = SemanticStacking(CE, encoder=["0"])
    assert torch.equal(objective(network, IMAGE, SYNTHETIC, MASK), same(network.body, IMAGE, SYNTHETIC, MASK))
    with pytest.raises(NetworkError, match=r"returned dict where logits were expected.*logits=lambda output"):
        SemanticStacking(CE, encoder=["body.0"])(network, IMAGE, SYNTHETIC, MASK)


def test_features_without_a_batch_axis_in_front_are_refused() -> None:
    class TokensFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.turn = small(), nn.Flatten(2)
            self.turned = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            x = self.body(x)
            self.turned(self.turn(x).permute(2, 0, 1))
            return x

    with pytest.raises(ShapeError, match=r"'turned' have shape \(64, 8, 2\) for 8 images.*'separate'"):
        SemanticStacking(CE, encoder=["turned"])(TokensFirst(), IMAGE, SYNTHETIC, MASK)
    SemanticStacking(CE, encoder=["turned"], forward_pass="separate")(TokensFirst(), IMAGE, SYNTHETIC, MASK)


def hooks(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def test_taps_are_attached_once_and_released() -> None:
    objective, network, other = SemanticStacking(CE, encoder=["0"]), small(), small()
    for _ in range(3):
        objective(network, IMAGE, SYNTHETIC, MASK)
        objective(other, IMAGE, SYNTHETIC, MASK)
    attached = hooks(network)
    objective(network, IMAGE, SYNTHETIC, MASK)
    assert hooks(network) == attached > 0
    objective.close()
    assert hooks(network) == hooks(other) == 0


def test_the_objective_keeps_no_network_alive() -> None:
    objective, network = SemanticStacking(CE, encoder=["0"]), small()
    objective(network, IMAGE, SYNTHETIC, MASK).backward()
    alive = weakref.ref(network)
    del network
    gc.collect()
    assert alive() is None


def test_a_copied_pair_of_objective_and_network_works_alone() -> None:
    pair = nn.ModuleDict({"objective": SemanticStacking(CE, encoder=["0"]), "network": small()})
    first: Any = pair["objective"]
    first(pair["network"], IMAGE, SYNTHETIC, MASK)
    twin = copy.deepcopy(pair)
    second: Any = twin["objective"]
    torch.testing.assert_close(
        first(pair["network"], IMAGE, SYNTHETIC, MASK), second(twin["network"], IMAGE, SYNTHETIC, MASK)
    )
    first.close()
    assert second(twin["network"], IMAGE, SYNTHETIC, MASK).isfinite()


def test_a_validation_pass_between_two_steps_changes_nothing() -> None:
    objective, network = SemanticStacking(CE, encoder=["0"]), small()
    before = objective(network, IMAGE, SYNTHETIC, MASK)
    with torch.no_grad():
        network(torch.rand(1, 3, 8, 8))
    assert torch.equal(objective(network, IMAGE, SYNTHETIC, MASK), before)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_a_compiled_network_gives_the_same_loss_and_gradients(backend: str, form: Any) -> None:
    network = small()
    compiled = torch.compile(network, backend=backend)
    results = []
    for wrapped in (network, compiled):
        objective = SemanticStacking(CE, encoder=["0"], decoder=["1"], alpha_dec=0.3, forward_pass=form)
        network.zero_grad()
        loss = objective(wrapped, IMAGE, SYNTHETIC, MASK)  # type: ignore[arg-type]
        loss.backward()
        results.append([loss.detach(), *(p.grad.clone() for p in network.parameters() if p.grad is not None)])
        objective.close()
    torch.testing.assert_close(results[0], results[1])
    torch.compiler.reset()


@pytest.mark.parametrize("name", ["w_syn", "alpha_enc", "alpha_dec"])
@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf])
def test_refuses_weights_that_are_no_weights(name: str, weight: float) -> None:
    with pytest.raises(
        ConfigError, match=rf"{name} is {weight}. Expected a finite number that is at least 0"
    ):
        SemanticStacking(CE, **{"encoder": ["0"], "decoder": ["0"], name: weight})  # type: ignore[arg-type]


def test_refuses_a_weight_without_a_tap() -> None:
    with pytest.raises(
        ConfigError, match=r"alpha_enc is 0.4, but no encoder features are tapped.*or set alpha_enc=0"
    ):
        SemanticStacking(CE)
    with pytest.raises(ConfigError, match=r"alpha_dec is 1.0, but no decoder features are tapped"):
        SemanticStacking(CE, encoder=["0"], alpha_dec=1.0)


def test_refuses_a_string_of_taps() -> None:
    with pytest.raises(ConfigError, match=r"encoder is the string 'layer'.*encoder=\['layer'\]"):
        SemanticStacking(CE, encoder="layer")


def test_refuses_an_unknown_form() -> None:
    with pytest.raises(ConfigError, match=r"forward_pass is 'both'. Expected 'joint' or 'separate'"):
        SemanticStacking(CE, encoder=["0"], forward_pass="both")  # type: ignore[arg-type]


def test_refuses_a_missing_synthetic_image() -> None:
    with pytest.raises(
        ConfigError, match="got no synthetic image, but one of w_syn, alpha_enc and alpha_dec"
    ):
        SemanticStacking(CE, encoder=["0"])(small(), IMAGE, None, MASK)


def test_refuses_a_pair_of_two_sizes() -> None:
    with pytest.raises(ShapeError, match=r"must have one shape, got \(4, 3, 8, 8\) and \(4, 3, 4, 8\)"):
        SemanticStacking(CE, encoder=["0"])(small(), IMAGE, SYNTHETIC[:, :, ::2], MASK)


def test_a_wrong_tap_is_named_at_the_first_step() -> None:
    with pytest.raises(TapError, match=r"has no module 'encoder.4'"):
        SemanticStacking(CE, encoder=["encoder.4"])(small(), IMAGE, SYNTHETIC, MASK)
