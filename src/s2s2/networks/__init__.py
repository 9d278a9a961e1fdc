"""Networks with their taps named; any `nn.Module` by import path; trained ones on disk."""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.networks.build import build_network as build_network, taps as taps
    from s2s2.networks.catalogue import BUILT_IN as BUILT_IN, BuiltIn as BuiltIn
    from s2s2.networks.checkpoint import (
        NetworkCard as NetworkCard,
        load_network as load_network,
        read_card as read_card,
        save_network as save_network,
    )
    from s2s2.networks.config import NetworkConfig as NetworkConfig
    from s2s2.networks.ensemble import common_card as common_card
    from s2s2.networks.inference import infer_logits as infer_logits
    from s2s2.networks.normalisation import (
        Normalisation as Normalisation,
        default_normalisation as default_normalisation,
    )
    from s2s2.networks.unet import EfficientNetUNet as EfficientNetUNet
    from s2s2.networks.weights import network_inputs as network_inputs
else:
    __getattr__, __dir__ = exported(__name__)
