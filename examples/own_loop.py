"""Semantic stacking in a plain PyTorch loop, without the command line of s2s2.

Draws discs on a textured ground, makes a second view of each mask with another
texture, and trains a small network twice: on single images, and on pairs with one
line changed. Both see the same number of images. Runs in seconds on a CPU.

    python examples/own_loop.py
"""

import torch
from torch import Tensor, nn

from s2s2 import SemanticStacking

SIDE, PAIRS, STEPS = 32, 8, 200
HOME, AWAY = 0.0, 0.5  # how far the colours of a site stray


def draw_masks(count: int, generator: torch.Generator) -> Tensor:
    """One disc a mask: (count, side, side), 0 and 1."""
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    centres = torch.randint(8, SIDE - 8, (count, 2, 1, 1), generator=generator)
    radii = torch.randint(4, 9, (count, 1, 1), generator=generator)
    return ((rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2 <= radii**2).long()


def draw_images(masks: Tensor, generator: torch.Generator, tint: float) -> Tensor:
    """An image of every mask: (count, 3, side, side) in [0, 1]; `tint` is how far colours may stray."""
    colours = torch.tensor([[0.3, 0.4, 0.5], [0.6, 0.5, 0.4]])
    strayed = colours + tint * (torch.rand(len(masks), 2, 3, generator=generator) - 0.5)
    images = torch.stack([colour[mask] for colour, mask in zip(strayed, masks, strict=True)]).permute(
        0, 3, 1, 2
    )
    return (images + 0.1 * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def make_network() -> nn.Sequential:
    """A small network whose encoder and decoder have names."""
    network = nn.Sequential()
    network.add_module("encoder", nn.Sequential(nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.ReLU()))
    network.add_module("decoder", nn.Sequential(nn.Conv2d(16, 16, 5, padding=2), nn.ReLU()))
    network.add_module(
        "head", nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(16, 2, 1))
    )
    return network


def train(stacking: bool) -> nn.Module:
    """Train on drawn batches, with pairs or with twice as many single images."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    network = make_network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    segmentation_loss = nn.CrossEntropyLoss()
    objective = SemanticStacking(segmentation_loss, encoder=["encoder"], alpha_enc=0.4)
    for step in range(STEPS):
        mask = draw_masks(PAIRS if stacking else 2 * PAIRS, generator)
        image = draw_images(mask, generator, tint=HOME)
        if stacking:
            synthetic = draw_images(mask, generator, tint=AWAY)
            if step == 0:
                print(objective.describe(network, image))  # what the taps read
            loss = objective(network, image, synthetic, mask)  # the one line that changes
        else:
            loss = segmentation_loss(network(image), mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step == 0:
            print(f"first loss, {'pairs' if stacking else 'single images'}: {loss.item():.3f}")
    objective.close()
    return network.eval()


@torch.no_grad()
def dice(network: nn.Module, tint: float) -> float:
    """Mean Dice on 200 new images whose colours stray by `tint`."""
    generator = torch.Generator().manual_seed(1)
    masks = draw_masks(200, generator)
    predicted = network(draw_images(masks, generator, tint)).argmax(1)
    both = (predicted * masks).sum((1, 2))
    return (2 * both / (predicted.sum((1, 2)) + masks.sum((1, 2)))).mean().item()


def main() -> None:
    """Train both, test at home (same colours) and away (other colours)."""
    networks = {"single images": train(stacking=False), "pairs": train(stacking=True)}
    for name, network in networks.items():
        print(f"{name:>14}: Dice at home {dice(network, HOME):.3f}, away {dice(network, AWAY):.3f}")


if __name__ == "__main__":
    main()
