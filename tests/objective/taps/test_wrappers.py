"""What wraps a network, what copies it, and what is no module at all."""

from __future__ import annotations

import copy
import functools
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from s2s2.errors import TapError
from s2s2.objective import FeatureTap, SemanticStacking
from s2s2.objective.taps.features import unwrap

CE = nn.CrossEntropyLoss()
IMAGE, SYNTHETIC = torch.rand(2, 4, 3, 8, 8).unbind()
MASK = torch.randint(2, (4, 8, 8))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh())
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


@pytest.fixture
def network() -> Net:
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def step(network: Any, tap: str = "encoder.0", **options: Any) -> Tensor:
    return SemanticStacking(CE, encoder=[tap], **options)(network, IMAGE, SYNTHETIC, MASK)


def hooks(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def test_an_averaged_model_is_seen_through(network: Net) -> None:
    averaged = AveragedModel(network)
    assert unwrap(averaged) is averaged.module
    expected = step(network)
    for tap in ("encoder.0", "module.encoder.0"):
        torch.testing.assert_close(step(averaged, tap), expected)


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize("tap", ["encoder.0", "module.encoder.0", "_orig_mod.module.encoder.0"])
def test_names_of_wrapped_networks_are_understood(network: Net, tap: str) -> None:
    expected = step(network)
    wrapped = (DistributedDataParallel(network), nn.DataParallel(network), network)
    for wrapper in wrapped:
        torch.testing.assert_close(step(wrapper, tap), expected)
    torch.testing.assert_close(step(torch.compile(wrapped[0], backend="eager"), tap), expected)
    torch.compiler.reset()


def test_a_network_that_is_named_module_is_no_wrapper() -> None:
    network = nn.Sequential()
    network.add_module("module", nn.Conv2d(3, 8, 1))
    network.add_module("head", nn.Conv2d(8, 2, 1))
    assert step(network, "module").isfinite()


@pytest.mark.parametrize("tap", ["encoder", "encoder.0", "encoder._orig_mod.0"])
def test_a_compiled_part_is_tapped_by_its_plain_name(network: Net, tap: str) -> None:
    expected = step(network, tap.replace("_orig_mod.", ""))
    network.encoder = torch.compile(network.encoder, backend="eager")  # type: ignore[assignment]
    torch.testing.assert_close(step(network, tap), expected)
    torch.compiler.reset()


def test_a_network_compiled_in_place_is_tapped(network: Net) -> None:
    expected = step(network)
    network.compile(backend="eager")
    torch.testing.assert_close(step(network), expected)
    torch.compiler.reset()


@pytest.mark.parametrize("tap", ["encoder", "encoder.0"])
def test_a_part_in_a_checkpoint_wrapper_is_tapped_by_its_plain_name(network: Net, tap: str) -> None:
    expected = step(network, tap)
    network.encoder = checkpoint_wrapper(network.encoder)  # type: ignore[assignment]
    torch.testing.assert_close(step(network, tap), expected)
    step(network, tap).backward()


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize("form", ["joint", "separate"])
def test_fully_sharded_networks_are_seen_through(network: Net, form: str) -> None:
    from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard

    expected = step(network, forward_pass=form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a group of one process, and of FSDP's successor
        first = copy.deepcopy(network)
        first.encoder = FullyShardedDataParallel(first.encoder, device_id=torch.device("cpu"))  # type: ignore[assignment]
        first = FullyShardedDataParallel(first, device_id=torch.device("cpu"))  # type: ignore[assignment]
        second = copy.deepcopy(network)
        mesh = dist.init_device_mesh("cpu", (1,))
        fully_shard(second.encoder, mesh=mesh)
        fully_shard(second, mesh=mesh)
        for sharded in (first, second):
            loss = step(sharded, forward_pass=form)
            torch.testing.assert_close(loss, expected)
            loss.backward()


def test_a_network_of_lightning_fabric_is_seen_through(network: Net) -> None:
    from lightning.fabric import Fabric

    expected = step(network)
    wrapped = Fabric(accelerator="cpu", devices=1).setup_module(network)
    torch.testing.assert_close(step(wrapped), expected)


@pytest.mark.parametrize("kind", ["scripted", "traced"])
def test_a_scripted_network_is_refused_by_name_and_works_without_taps(network: Net, kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        fixed: Any = torch.jit.script(network) if kind == "scripted" else torch.jit.trace(network, IMAGE)
    with pytest.raises(TapError, match=r"'encoder\.0' is part of a scripted or traced network.*before torch"):
        step(fixed)
    part = nn.Sequential(fixed, nn.Identity())
    with pytest.raises(TapError, match=r"'0\.encoder' is part of a scripted"):
        step(part, "0.encoder")
    assert hooks(network) == 0
    untapped = SemanticStacking(CE, alpha_enc=0)
    torch.testing.assert_close(
        untapped(fixed, IMAGE, SYNTHETIC, MASK), untapped(network, IMAGE, SYNTHETIC, MASK)
    )


def test_a_function_is_a_network_where_nothing_is_tapped(network: Net) -> None:
    def call(image: Tensor) -> Tensor:
        return network(image)

    for function in (call, lambda image: network(image), functools.partial(network), network.forward):
        with pytest.raises(TapError, match=r"no modules to tap\. Pass the nn\.Module itself.*logits=lambda"):
            step(function)
        for options in ({"alpha_enc": 0.0}, {"alpha_enc": 0.0, "w_syn": 0.0}):
            objective = SemanticStacking(CE, **options)
            expected = objective(network, IMAGE, SYNTHETIC, MASK)
            assert torch.equal(objective(function, IMAGE, SYNTHETIC, MASK), expected)


@pytest.mark.parametrize("first", ["close", "run"])
def test_closing_leaves_nothing_on_deep_copies(network: Net, first: str) -> None:
    objective = SemanticStacking(CE, encoder=["encoder.0"], decoder=["head"])
    objective(network, IMAGE, SYNTHETIC, MASK)
    averaged = AveragedModel(network)
    twin = copy.deepcopy(network)
    second = copy.deepcopy(twin)
    others = (twin, second, averaged.module)
    assert all(hooks(other) == 4 for other in others)
    if first == "run":  # what is left of a tap on a copy leaves at the first call
        for other in others:
            other(IMAGE)
        assert hooks(network) == 4
    else:
        objective.close()
        assert hooks(network) == 0
    assert all(hooks(other) == 0 for other in others)
    torch.testing.assert_close(twin(IMAGE), network(IMAGE))


def test_a_pickle_of_a_tapped_network_sheds_the_tap_at_its_first_call(network: Net) -> None:
    objective = SemanticStacking(CE, encoder=["encoder.0"])
    objective(network, IMAGE, SYNTHETIC, MASK)
    twin = pickle.loads(pickle.dumps(network))
    torch.testing.assert_close(twin(IMAGE), network(IMAGE))
    assert hooks(twin) == 0
    torch.testing.assert_close(
        objective(twin, IMAGE, SYNTHETIC, MASK), objective(network, IMAGE, SYNTHETIC, MASK)
    )
    objective.close()
    assert hooks(twin) == hooks(network) == 0
    assert hooks(pickle.loads(pickle.dumps(network))) == 0


def test_hooks_of_others_stay(network: Net) -> None:
    seen = []
    handle = network.encoder.register_forward_hook(lambda *_: seen.append("mine"))
    with FeatureTap(network, ["encoder"]) as tap:
        network(IMAGE)
        twin = copy.deepcopy(network)
        tap.features()
    assert hooks(network) == 1
    assert hooks(twin) == 1
    network(IMAGE)
    handle.remove()
    assert len(seen) == 2
