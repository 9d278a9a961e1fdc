from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from s2s2.errors import TapError
from s2s2.objective import FeatureTap
from s2s2.objective.taps.features import unwrap


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))


class Nested(nn.Module):
    """A network with stages by index."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Module()
        self.encoder.stages = nn.ModuleList([nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1)])

    def forward(self, x: Tensor) -> Tensor:
        for stage in self.encoder.stages:  # type: ignore[union-attr]
            x = stage(x)
        return x


@dataclass
class Output:
    logits: Tensor
    hidden: list[Tensor]
    note: str = "text"


class Returns(nn.Module):
    """Returns what a function makes of its input."""

    def __init__(self, make: Any) -> None:
        super().__init__()
        self.make = make

    def forward(self, x: Tensor) -> Any:
        return self.make(x)


def run(make: Any, *names: str) -> dict[str, Tensor]:
    network = nn.Sequential(nn.Identity(), Returns(make))
    with FeatureTap(network, names or ["1"]) as tap:
        network(torch.ones(2, 3))
        return tap.features()


IMAGES = torch.rand(2, 3, 4, 4)


def test_reads_a_module_by_name_with_gradient() -> None:
    network = small()
    with FeatureTap(network, ["1"]) as tap:
        network(IMAGES)
        feature = tap.features()["1"]
    torch.testing.assert_close(feature, network[:2](IMAGES))
    feature.sum().backward()
    assert network[0].weight.grad is not None


def test_keeps_the_order_of_the_names_and_takes_one_twice() -> None:
    network = small()
    with FeatureTap(network, ["2", "0", "2"]) as tap:
        network(IMAGES)
        assert list(tap.features()) == ["2", "0"]


def test_takes_an_index_from_the_end() -> None:
    network = Nested()
    with FeatureTap(network, ["encoder.stages[-1]", "encoder.stages[0]"]) as tap:
        assert tap.names == ("encoder.stages.1", "encoder.stages.0")


def test_takes_an_index_into_the_network_itself_and_through_levels() -> None:
    network = nn.Sequential(small(), small())
    with FeatureTap(network, ["[-1][0]"]) as tap:
        assert tap.names == ("1.0",)


def test_takes_a_pattern_and_a_function() -> None:
    network = Nested()
    with FeatureTap(network, [re.compile(r".*stages\.\d")]) as tap:
        assert tap.names == ("encoder.stages.0", "encoder.stages.1")
    with FeatureTap(
        network, [lambda name, module: isinstance(module, nn.Conv2d) and name.endswith("1")]
    ) as tap:
        assert tap.names == ("encoder.stages.1",)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda x: x, ["1"]),
        (lambda x: (x, x + 1), ["1:0", "1:1"]),
        (lambda x: [x, None, 3, "text"], ["1:0"]),
        (lambda x: {"out": x, "aux": [x, x]}, ["1:out", "1:aux:0", "1:aux:1"]),
        (lambda x: Output(x, [x, x]), ["1:logits", "1:hidden:0", "1:hidden:1"]),
        (lambda x: (x.long(), x), ["1:1"]),
    ],
    ids=["tensor", "tuple", "list", "dict", "dataclass", "integers are no features"],
)
def test_takes_all_tensors_of_an_output(make: Any, names: list[str]) -> None:
    assert list(run(make)) == names


@pytest.mark.parametrize(
    ("make", "name"), [(lambda x: (x, 2 * x), "1:1"), (lambda x: {"a": x, "b": 2 * x}, "1:b")]
)
def test_takes_one_element_of_an_output(make: Any, name: str) -> None:
    found = run(make, name)
    assert list(found) == [name]
    assert torch.equal(found[name], 2 * torch.ones(2, 3))


def test_refuses_an_element_that_is_not_there() -> None:
    with pytest.raises(TapError, match=r"asks for element 'c' .* elements are: a, b\. Name one"):
        run(lambda x: {"a": x, "b": x}, "1:c")


def test_refuses_an_output_without_tensors() -> None:
    with pytest.raises(TapError, match="'1' returned str, which holds no floating-point tensor"):
        run(lambda x: "text")


def test_a_wrong_name_lists_the_nearest_names_first() -> None:
    message = r"network \(Nested\) has no module 'encoder\.stage\.1'\. .* first: encoder\.stages\.1, "
    with pytest.raises(TapError, match=message):
        FeatureTap(Nested(), ["encoder.stage.1"])


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("stages[7]", r"'stages\[7\]'"),
        (re.compile("x+"), "rule 'x+'"),
        (lambda name, module: False, "rule '<lambda>'"),
    ],
)
def test_a_rule_that_fits_nothing_is_an_error(rule: Any, shown: str) -> None:
    with pytest.raises(TapError, match=re.escape(shown) if "+" in shown else shown):
        FeatureTap(Nested(), [rule])


def test_a_wrong_name_leaves_no_hooks() -> None:
    network = small()
    with pytest.raises(TapError):
        FeatureTap(network, ["0", "nothing"])
    assert hooks(network) == 0


def hooks(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def test_closing_takes_all_hooks_off() -> None:
    network = small()
    tap = FeatureTap(network, ["0", "1"])
    assert hooks(network) == 3
    network(IMAGES)
    tap.close()
    tap.close()
    assert hooks(network) == 0
    with pytest.raises(TapError, match="did not run"):
        tap.features()


def test_a_forgotten_tap_takes_its_hooks_off() -> None:
    network = small()
    tap = FeatureTap(network, ["0"])
    del tap
    gc.collect()
    assert hooks(network) == 0


def test_reading_keeps_no_tensor_alive() -> None:
    network = small()
    with FeatureTap(network, ["0"]) as tap:
        network(IMAGES)
        feature = weakref.ref(tap.features()["0"])
        gc.collect()
        assert feature() is None


def test_a_tap_keeps_no_network_alive() -> None:
    network = small()
    tap = FeatureTap(network, ["0"])
    alive = weakref.ref(network)
    del network
    gc.collect()
    assert alive() is None
    tap.close()


def test_features_are_those_of_the_last_pass_alone() -> None:
    class Sometimes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Identity(), nn.Identity()

        def forward(self, x: Tensor, with_b: bool) -> Tensor:
            return self.b(self.a(x)) if with_b else self.a(x)

    network = Sometimes()
    with FeatureTap(network, ["a", "b"]) as tap:
        network(IMAGES, True)
        network(IMAGES, False)
        with pytest.raises(TapError, match="'b' did not run"):
            tap.features()


def test_features_cannot_be_read_twice() -> None:
    network = small()
    with FeatureTap(network, ["0"]) as tap:
        network(IMAGES)
        tap.features()
        with pytest.raises(TapError, match="did not run since the features were last read"):
            tap.features()


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_of_the_network_does_not_write_into_the_tap(twin: Any) -> None:
    network = small()
    with FeatureTap(network, ["0"]) as tap:
        other = twin(network)
        network(IMAGES)
        other(IMAGES + 1)
        torch.testing.assert_close(tap.features()["0"], network[0](IMAGES))
        with FeatureTap(other, ["0"]) as second:
            other(IMAGES + 1)
            assert list(second.features()) == ["0"]


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_works_under_compile(backend: str) -> None:
    network = small()
    compiled = torch.compile(network, backend=backend, fullgraph=True)
    with FeatureTap(compiled, ["0"]) as tap:
        for scale in (1, 2):
            compiled(scale * IMAGES)
            feature = tap.features()["0"]
            torch.testing.assert_close(feature, network[0](scale * IMAGES))
        feature.sum().backward()
    assert network[0].weight.grad is not None
    torch.compiler.reset()


def test_works_in_data_parallel_on_one_device() -> None:
    network = nn.DataParallel(small())
    with FeatureTap(network, ["0"]) as tap:
        network(IMAGES)
        assert tap.features()["0"].shape == (2, 8, 4, 4)


def test_refuses_replicas_on_several_devices() -> None:
    network = small()
    with FeatureTap(network, ["0"]):
        replica = network[0]._replicate_for_data_parallel()
        replica._parameters = network[0]._parameters
        with pytest.raises(TapError, match="several devices at once under DataParallel"):
            replica(IMAGES)


def test_sees_through_wrappers() -> None:
    network = small()
    assert unwrap(torch.compile(nn.DataParallel(network), backend="eager")) is network
