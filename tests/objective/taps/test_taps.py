"""Options of a tap, and what it refuses to read."""

from __future__ import annotations

import gc
import re
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from s2s2.errors import ConfigError, TapError
from s2s2.objective import FeatureTap, SemanticStacking, Tap

CE = nn.CrossEntropyLoss()
IMAGE, SYNTHETIC = torch.rand(2, 4, 3, 8, 8).unbind()
MASK = torch.randint(2, (4, 8, 8))


def small(inplace: bool = False) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=inplace), nn.Conv2d(8, 2, 1)
    )


class Checkpointed(nn.Module):
    """Its encoder runs inside a checkpoint."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Tanh())
        self.head, self.reentrant = nn.Conv2d(8, 2, 1), reentrant

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        return self.head(checkpoint(self.encoder, x, use_reentrant=self.reentrant))


class Applied(nn.Module):
    """One block that runs several times in a pass."""

    def __init__(self, times: int = 3) -> None:
        super().__init__()
        self.stem, self.block, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1)
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for _ in range(self.times):
            x = self.block(x)
        return self.head(x)


def step(network: Any, tap: Any, **options: Any) -> Tensor:
    objective = SemanticStacking(CE, encoder=[tap], **options)
    return objective(network, IMAGE, SYNTHETIC, MASK)


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_an_output_that_was_changed_in_place_is_refused(form: str) -> None:
    with pytest.raises(TapError, match=r"module '1' was changed in place .*nn\.ReLU\(inplace=False\)"):
        step(small(inplace=True), "1", forward_pass=form)
    torch.manual_seed(0)
    changed = small(inplace=True).eval()
    torch.manual_seed(0)
    kept = small(inplace=False).eval()
    for tap in ("0", "2"):  # what comes before and the module that changes are read rightly
        torch.testing.assert_close(step(changed, tap), step(kept, tap))


def test_a_residual_that_is_added_in_place_is_refused() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            out = self.conv(x)
            out += x
            return out

    network = nn.Sequential(Residual(), nn.Conv2d(3, 2, 1))
    with pytest.raises(TapError, match=r"'0\.conv' was changed in place"):
        step(network, "0.conv")
    assert step(network, "0").isfinite()


def test_one_changed_item_of_a_container_is_named() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x + 1, x + 2

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.two = Two()

        def forward(self, x: Tensor) -> Tensor:
            first, second = self.two(x)
            return first + second.mul_(2)

    network = Net()
    with FeatureTap(network, [Tap("two", item=0)]) as tap:
        network(IMAGE)
        assert list(tap.features()) == ["two:0"]
    with FeatureTap(network, ["two"]) as tap:
        network(IMAGE)
        with pytest.raises(TapError, match="'two:1' was changed in place"):
            tap.features()


def test_a_change_in_place_inside_a_compiled_graph_does_not_reach_the_feature() -> None:
    network = small(inplace=True).eval()
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    with FeatureTap(compiled, ["1"]) as tap:
        compiled(IMAGE)
        feature = tap.features()["1"]
    torch.testing.assert_close(feature, network[:2](IMAGE))
    assert feature.min() < 0
    torch.compiler.reset()


@pytest.mark.parametrize("form", ["joint", "separate"])
def test_a_reentrant_checkpoint_is_refused_and_the_other_kind_works(form: str) -> None:
    with pytest.raises(TapError, match=r"'encoder\.0' carry no gradient.*use_reentrant=False"):
        step(Checkpointed(reentrant=True), "encoder.0", forward_pass=form)
    for reentrant, tap in ((False, "encoder.0"), (False, "encoder"), (True, "encoder")):
        network = Checkpointed(reentrant)
        step(network, tap, forward_pass=form).backward()
        gradient = network.encoder[0].weight.grad
        assert gradient is not None
        plain = nn.Sequential(OrderedDict(encoder=network.encoder, head=network.head))
        plain.zero_grad()
        step(plain, tap, forward_pass=form).backward()
        torch.testing.assert_close(network.encoder[0].weight.grad, gradient)


def test_what_a_checkpoint_computes_again_is_not_kept() -> None:
    network = Checkpointed(reentrant=False)
    with FeatureTap(network, ["encoder"]) as tap:
        network(IMAGE).sum().backward()
        assert tap.features()["encoder"].shape == (4, 8, 8, 8)  # once, although it ran twice
    with FeatureTap(network, ["encoder"]) as tap:
        loss = network(IMAGE).sum()
        tap.features()
        loss.backward()
        with pytest.raises(TapError, match="did not run"):
            tap.features()


def test_an_encoder_that_is_not_trained_is_refused_unless_its_weight_is_0() -> None:
    network = small()
    network[0].requires_grad_(False)
    with pytest.raises(TapError, match=r"'0' carry no gradient: nothing .* trained .*weight 0"):
        step(network, "0")
    assert step(network, "1").isfinite()  # what follows is trained
    assert step(network, "0", alpha_enc=0.0).isfinite()
    terms = SemanticStacking(CE, encoder=[Tap("0", weight=0.0), "1"]).terms(network, IMAGE, SYNTHETIC, MASK)
    assert terms.encoder > 0


def test_an_encoder_under_no_grad_is_refused_by_that_name() -> None:
    class Frozen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.head = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                features = self.encoder(x)
            return self.head(features)

    with pytest.raises(TapError, match=r"ran without any: under torch\.no_grad"):
        step(Frozen(), "encoder")


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
def test_without_gradients_the_loss_can_still_be_measured(off: Any) -> None:
    network = small().eval()
    expected = step(network, "1").detach()
    with off():
        torch.testing.assert_close(step(network, "1"), expected)


def test_a_module_that_runs_several_times_is_refused_until_a_call_is_chosen() -> None:
    network = Applied()
    with pytest.raises(TapError, match=r"'block' ran 3 times in one pass.*Tap\('block', call=-1\)"):
        step(network, "block")
    x = network.stem(IMAGE)
    calls = [x := network.block(x) for _ in range(3)]
    taps = [Tap("block", call=0), Tap("block", call=1), Tap("block", call=-1)]
    with FeatureTap(network, taps) as tap:
        network(IMAGE)
        found = tap.features()
    assert list(found) == ["block (call 0)", "block (call 1)", "block (call -1)"]
    for feature, expected in zip(found.values(), calls, strict=True):
        torch.testing.assert_close(feature, expected)
    with pytest.raises(TapError, match=r"ran 3 times in one pass, and the tap asks for call 3"):
        step(network, Tap("block", call=3))


def test_calls_that_nobody_asks_for_are_not_kept_alive() -> None:
    network = Applied()
    with FeatureTap(network, ["block"]) as tap:
        first = weakref.ref(network.block(torch.zeros(1, 4, 2, 2)))  # without a pass of the network
        second = weakref.ref(network.block(torch.zeros(1, 4, 2, 2)))
        gc.collect()
        assert first() is None
        assert second() is not None
        with pytest.raises(TapError, match="ran 2 times"):
            tap.features()


def test_a_tap_that_did_not_run_is_refused_in_a_step() -> None:
    network = small()
    network.add_module("spare", nn.Conv2d(2, 2, 1))
    network.forward = lambda x: network[:4](x)  # type: ignore[method-assign]
    with pytest.raises(TapError, match="'spare' did not run"):
        step(network, "spare")


class Transformer(nn.Module):
    """Returns hidden tokens, attention weights and a list of skip maps, as TransUNet's does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)
        self.transformer = Tuple(self.conv)

    def forward(self, x: Tensor) -> Tensor:
        hidden, _, skips = self.transformer(x)
        return self.head(skips[0] + hidden.transpose(1, 2).unflatten(2, x.shape[2:]))


class Tuple(nn.Module):
    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        maps = self.conv(x)
        return maps.flatten(2).transpose(1, 2), [], [maps, maps[:, :, ::2, ::2], maps[:, :, ::4, ::4]]


@pytest.mark.parametrize(
    ("tap", "names"),
    [
        ("transformer", ["transformer:0", "transformer:2:0", "transformer:2:1", "transformer:2:2"]),
        (Tap("transformer", item=0), ["transformer:0"]),
        (Tap("transformer", item="2"), ["transformer:2:0", "transformer:2:1", "transformer:2:2"]),
        (Tap("transformer", item="2:1"), ["transformer:2:1"]),
        (Tap("transformer:2", item=1), ["transformer:2:1"]),
        ("transformer:2:1", ["transformer:2:1"]),
    ],
)
def test_an_item_of_a_container_is_taken_at_any_depth(tap: Any, names: list[str]) -> None:
    network = Transformer()
    with FeatureTap(network, [tap]) as taps:
        network(IMAGE)
        assert list(taps.features()) == names
    assert step(network, tap).isfinite()


@pytest.mark.parametrize(("item", "shown"), [(3, "0, 1, 2"), ("2:7", "0, 1, 2")])
def test_an_item_that_is_not_there_is_refused(item: Any, shown: str) -> None:
    with pytest.raises(TapError, match=rf"has no such element. Its elements are: {shown}\. Name one"):
        step(Transformer(), Tap("transformer", item=item))
    with pytest.raises(TapError, match="holds no floating-point tensor"):
        step(Transformer(), Tap("transformer", item=1))


def test_patterns_and_functions_are_options_of_a_tap_too() -> None:
    network = small()
    for rule in (re.compile(r"[01]"), lambda name, module: name in ("0", "1")):
        terms = SemanticStacking(CE, encoder=[Tap(rule, weight=0.5)]).terms(network, IMAGE, SYNTHETIC, MASK)
        both = SemanticStacking(CE, encoder=["0", "1"]).terms(network, IMAGE, SYNTHETIC, MASK)
        torch.testing.assert_close(terms.encoder, 0.5 * both.encoder)


def test_one_module_with_two_options_is_refused() -> None:
    network = small()
    with pytest.raises(TapError, match="'0' is tapped twice with different options"):
        SemanticStacking(CE, encoder=[re.compile("."), Tap("0", weight=2.0)])(network, IMAGE, SYNTHETIC, MASK)
    once = SemanticStacking(CE, encoder=["0"])(network, IMAGE, SYNTHETIC, MASK)
    twice = SemanticStacking(CE, encoder=["0", "0", Tap("0")])(network, IMAGE, SYNTHETIC, MASK)
    assert torch.equal(once, twice)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ConfigError, match=rf"The weight of tap 'x' is {weight}. Expected at least 0"):
        Tap("x", weight=weight)


def test_what_is_no_tap_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"A tap is 3\. Expected a module's name"):
        SemanticStacking(CE, encoder=[3])(small(), IMAGE, SYNTHETIC, MASK)  # type: ignore[list-item]
    with pytest.raises(ConfigError, match=r"encoder is the tap Tap\(rule='0'.*Expected a list"):
        SemanticStacking(CE, encoder=Tap("0"))  # type: ignore[arg-type]


def test_a_module_under_two_names_is_found_by_both() -> None:
    network = small()
    network.add_module("alias", network[0])
    network.forward = lambda x: network[:4](x)  # type: ignore[method-assign]
    with FeatureTap(network, ["alias"]) as tap:
        network(IMAGE)
        torch.testing.assert_close(tap.features()["alias"], network[0](IMAGE))


def test_an_index_counts_children_that_stand_twice_in_a_container() -> None:
    block = nn.Identity()
    network = nn.Sequential(block, nn.ReLU(), block)
    with FeatureTap(network, ["[-1]"]) as tap:
        assert tap.names == ("2",)


@dataclass
class Record:
    first: Tensor
    second: list[Tensor]


@pytest.mark.parametrize(
    "pack",
    [lambda x: (x + 1, [x]), lambda x: {"first": x + 1, "second": [x]}, lambda x: Record(x + 1, [x])],
    ids=["tuple", "dict", "dataclass"],
)
def test_containers_are_tapped_under_compile_without_a_graph_break(pack: Any) -> None:
    class Packs(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return pack(x)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.packs, self.head = nn.Conv2d(3, 4, 1), Packs(), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            self.packs(x)
            return self.head(x)

    network = Net()
    compiled = torch.compile(network, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(step(compiled, "packs"), step(network, "packs"))
    torch.compiler.reset()
