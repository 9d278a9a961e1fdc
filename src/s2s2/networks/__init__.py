"""Networks with their taps named; any `nn.Module` by import path; trained ones on disk."""

from s2s2.networks.build import BUILT_IN, NetworkConfig, build_network, taps
from s2s2.networks.checkpoint import NetworkCard, load_network, save_network
from s2s2.networks.inference import infer_logits
from s2s2.networks.normalisation import Normalisation, default_normalisation
from s2s2.networks.unet import EfficientNetUNet

__all__ = [
    "BUILT_IN",
    "EfficientNetUNet",
    "NetworkCard",
    "NetworkConfig",
    "Normalisation",
    "build_network",
    "default_normalisation",
    "infer_logits",
    "load_network",
    "save_network",
    "taps",
]
