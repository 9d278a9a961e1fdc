"""The published file: every tensor in its place with its axes turned, or a refusal of what differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from s2s2.errors import NetworkError
from s2s2.networks import NetworkConfig, build_network
from s2s2.networks.transunet.encoder import resized
from s2s2.networks.transunet.network import TransUNet
from s2s2.networks.transunet.resnet import standardised
from tests.networks.transunet.test_network import TINY

Arrays = dict[str, NDArray[np.float32]]
WIDTH, HEADS, HIDDEN, STEM, GRID = 24, 2, 32, 32, 3


def norm(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}/scale": shape, f"{name}/bias": shape}


def shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published file, at the size of `TINY`."""
    found: dict[str, tuple[int, ...]] = {
        "cls": (1, 1, WIDTH),
        "head/kernel": (WIDTH, 7),
        "head/bias": (7,),
        "pre_logits/kernel": (WIDTH, WIDTH),
        "pre_logits/bias": (WIDTH,),
        "conv_root/kernel": (7, 7, 3, STEM),
        "embedding/kernel": (1, 1, 16 * STEM, WIDTH),
        "embedding/bias": (WIDTH,),
        "Transformer/posembed_input/pos_embedding": (1, 1 + GRID**2, WIDTH),
        **norm("gn_root", (1, 1, 1, STEM)),
        **norm("Transformer/encoder_norm", (WIDTH,)),
    }
    incoming = STEM
    for block, units in enumerate(TINY["units"]):
        narrow = STEM * 2**block
        for unit in range(units):
            name = f"block{block + 1}/unit{unit + 1}"
            found |= {
                f"{name}/conv1/kernel": (1, 1, incoming, narrow),
                f"{name}/conv2/kernel": (3, 3, narrow, narrow),
                f"{name}/conv3/kernel": (1, 1, narrow, 4 * narrow),
                **norm(f"{name}/gn1", (1, 1, 1, narrow)),
                **norm(f"{name}/gn2", (1, 1, 1, narrow)),
                **norm(f"{name}/gn3", (1, 1, 1, 4 * narrow)),
            }
            if not unit:
                found[f"{name}/conv_proj/kernel"] = (1, 1, incoming, 4 * narrow)
                found |= norm(f"{name}/gn_proj", (1, 1, 1, 4 * narrow))
            incoming = 4 * narrow
    for index in range(TINY["depth"]):
        name = f"Transformer/encoderblock_{index}"
        attention = f"{name}/MultiHeadDotProductAttention_1"
        for part in ("query", "key", "value"):
            found |= {
                f"{attention}/{part}/kernel": (WIDTH, HEADS, WIDTH // HEADS),
                f"{attention}/{part}/bias": (HEADS, WIDTH // HEADS),
            }
        found |= {
            f"{attention}/out/kernel": (HEADS, WIDTH // HEADS, WIDTH),
            f"{attention}/out/bias": (WIDTH,),
            f"{name}/MlpBlock_3/Dense_0/kernel": (WIDTH, HIDDEN),
            f"{name}/MlpBlock_3/Dense_0/bias": (HIDDEN,),
            f"{name}/MlpBlock_3/Dense_1/kernel": (HIDDEN, WIDTH),
            f"{name}/MlpBlock_3/Dense_1/bias": (WIDTH,),
            **norm(f"{name}/LayerNorm_0", (WIDTH,)),
            **norm(f"{name}/LayerNorm_2", (WIDTH,)),
        }
    return found


@pytest.fixture
def arrays() -> Arrays:
    generator = np.random.default_rng(0)
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes().items()}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Arrays], str]:
    def write(arrays: Arrays) -> str:
        np.savez(tmp_path / "R50+ViT-B_16.npz", **arrays)  # type: ignore[arg-type]
        return str(tmp_path / "R50+ViT-B_16.npz")

    return write


def test_every_tensor_finds_its_place(arrays: Arrays, write: Callable[[Arrays], str]) -> None:
    network = TransUNet(3, 2, write(arrays), **TINY)
    encoder = network.encoder
    kept = {name: torch.from_numpy(each) for name, each in arrays.items()}
    assert (
        sum(each.numel() for each in encoder.parameters())
        == sum(
            each.numel()
            for name, each in kept.items()
            if name.partition("/")[0] not in ("cls", "head", "pre_logits")
        )
        - WIDTH
    )  # the class token's position
    for block in range(3):
        for unit in range(TINY["units"][block]):
            name, found = f"block{block + 1}/unit{unit + 1}", encoder.resnet.blocks[block][unit]
            for layer in (f"{kind}{index}" for kind in ("conv", "gn") for index in (1, 2, 3)):
                check(kept, f"{name}/{layer}", getattr(found, layer))
            if not unit:
                check(kept, f"{name}/conv_proj", found.conv_proj)
                check(kept, f"{name}/gn_proj", found.gn_proj)
    check(kept, "conv_root", encoder.resnet.conv_root)
    check(kept, "gn_root", encoder.resnet.gn_root)
    check(kept, "embedding", encoder.embedding)
    check(kept, "Transformer/encoder_norm", encoder.norm)
    for index, block in enumerate(encoder.blocks):
        name = f"Transformer/encoderblock_{index}"
        check(kept, f"{name}/LayerNorm_0", block.norm1)
        check(kept, f"{name}/LayerNorm_2", block.norm2)
        check(kept, f"{name}/MlpBlock_3/Dense_0", block.dense1)
        check(kept, f"{name}/MlpBlock_3/Dense_1", block.dense2)
        check_attention(kept, f"{name}/MultiHeadDotProductAttention_1", block.attention)
    table = kept["Transformer/posembed_input/pos_embedding"][0, 1:]
    for row in range(GRID):
        for column in range(GRID):
            assert torch.equal(encoder.positions[0, :, row, column], table[row * GRID + column])


def check(kept: dict[str, torch.Tensor], name: str, layer: torch.nn.Module) -> None:
    """The layer computes what the axes of the file mean: (height, width, input, output)."""
    if isinstance(layer, torch.nn.Conv2d):
        kernel = kept[f"{name}/kernel"]
        patch = torch.randn(kernel.shape[2], *kernel.shape[:2])
        expected = torch.einsum("chw,hwco->o", patch, kernel)
        torch.testing.assert_close(
            torch.einsum("chw,ochw->o", patch, layer.weight), expected, rtol=1e-3, atol=1e-3
        )
    elif isinstance(layer, torch.nn.Linear):
        x = torch.randn(5, layer.in_features)
        torch.testing.assert_close(layer(x), x @ kept[f"{name}/kernel"] + kept[f"{name}/bias"])
    else:
        assert torch.equal(layer.weight, kept[f"{name}/scale"].flatten())  # type: ignore[arg-type]
    if getattr(layer, "bias", None) is not None:
        assert torch.equal(layer.bias, kept[f"{name}/bias"].flatten())  # type: ignore[arg-type]


def check_attention(kept: dict[str, torch.Tensor], name: str, attention: torch.nn.Module) -> None:
    x = torch.randn(5, WIDTH)
    for part in ("query", "key", "value"):
        expected = torch.einsum("ti,ihc->thc", x, kept[f"{name}/{part}/kernel"]) + kept[f"{name}/{part}/bias"]
        torch.testing.assert_close(getattr(attention, part)(x), expected.flatten(1))
    mixed = x.unflatten(1, (HEADS, -1))
    expected = torch.einsum("thc,hco->to", mixed, kept[f"{name}/out/kernel"]) + kept[f"{name}/out/bias"]
    torch.testing.assert_close(attention.out(x), expected)  # type: ignore[operator]


def test_positions_of_another_grid_are_interpolated(arrays: Arrays, write: Callable[[Arrays], str]) -> None:
    name = "Transformer/posembed_input/pos_embedding"
    arrays[name] = np.random.default_rng(1).normal(size=(1, 1 + 25, WIDTH)).astype(np.float32)
    found = TransUNet(3, 2, write(arrays), **TINY).encoder.positions
    table = torch.from_numpy(arrays[name])[0, 1:].T.reshape(1, WIDTH, 5, 5)
    torch.testing.assert_close(found.detach(), resized(table, (GRID, GRID)))


def test_a_stem_of_other_channels_starts_from_standardised_kernels(
    arrays: Arrays, write: Callable[[Arrays], str]
) -> None:
    path = write(arrays)
    rgb, grey, five = (TransUNet(channels, 2, path, **TINY).eval() for channels in (3, 1, 5))
    image = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        expected, _ = rgb.encoder(image.expand(-1, 3, -1, -1))
        torch.testing.assert_close(grey.encoder(image)[0], expected)
        torch.testing.assert_close(
            five.encoder(image.expand(-1, 5, -1, -1))[0], expected, rtol=1e-4, atol=1e-4
        )
    kernel = standardised(rgb.encoder.resnet.conv_root.weight).mean(1) * 3 / 5
    torch.testing.assert_close(five.encoder.resnet.conv_root.weight[:, 4], kernel)


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("block2/unit1/conv2/kernel", None, r"it lacks resnet\.blocks\.1\.0\.conv2\.weight"),
        ("Transformer/encoderblock_0/LayerNorm_2/scale", None, r"it lacks blocks\.0\.norm2\.weight"),
        ("conv_root/kernel", None, r"it lacks resnet\.conv_root\.weight"),
        ("Transformer/encoderblock_2/LayerNorm_2/scale", (24,), r"it has as well blocks\.2\.norm2\.weight"),
        ("block1/unit3/conv1/kernel", (1, 1, 8, 8), r"it has as well resnet\.blocks\.0\.2\.conv1\.weight"),
        ("embedding/kernel", (16, 16, 3, 24), r"embedding\.weight \(24, 3, 16, 16\) for \(24, 512, 1, 1\)"),
        (
            "Transformer/posembed_input/pos_embedding",
            (1, 12, 24),
            r"positions \(1, 12, 24\) for \(1, 24, 3, 3\)",
        ),
        (
            "Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel",
            (24, 24, 2, 3),
            r"blocks\.0\.attention\.query\.weight",
        ),
    ],
)
def test_what_differs_is_refused_by_name(
    arrays: Arrays, write: Callable[[Arrays], str], name: str, shape: tuple[int, ...] | None, says: str
) -> None:
    arrays.pop(name, None)
    if shape is not None:
        arrays[name] = np.zeros(shape, np.float32)
    with pytest.raises(NetworkError, match=rf"R50\+ViT-B_16\.npz do not fit the network.*{says}"):
        build_network(NetworkConfig("transunet", TINY, weights=write(arrays)), channels=3, classes=2)


def test_a_pickle_is_never_opened(tmp_path: Path, arrays: Arrays) -> None:
    np.savez(tmp_path / "R50+ViT-B_16.npz", **arrays, extra=np.array([object()], dtype=object))  # type: ignore[arg-type]
    config = NetworkConfig("transunet", TINY, weights=str(tmp_path / "R50+ViT-B_16.npz"))
    with pytest.raises(NetworkError, match=r"R50\+ViT-B_16\.npz cannot be read"):
        build_network(config, channels=3, classes=2)
