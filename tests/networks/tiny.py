"""Arguments that make each network by name small."""

from __future__ import annotations

from typing import Any

from tests.networks.fcbformer.naive import TINY as TINY_FCBFORMER
from tests.networks.transunet.test_network import TINY as TINY_TRANSUNET

TINY: dict[str, dict[str, Any]] = {
    "efficientnet-lite0-unet": {},
    "fcbformer": TINY_FCBFORMER,
    "transunet": TINY_TRANSUNET,
    "efficientnet-b2-unet": {},
    "dino-light": {"widths": [16, 8, 8, 8]},
}
