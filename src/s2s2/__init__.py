"""Semantic stacking: segmentation networks that hold at the next hospital.

The public names: each is imported when it is first used, so that `import s2s2` costs nothing.

Reference:
    Pan et al., *S2S2: Semantic Stacking for Robust Semantic Segmentation in Medical
    Imaging*, AAAI 2025, arXiv:2412.13156.
"""

from typing import TYPE_CHECKING

from s2s2.core.lazy import exported

if TYPE_CHECKING:
    from s2s2.data import (
        Case as Case,
        ClassMap as ClassMap,
        Dataset as Dataset,
        Split as Split,
        split_by_group as split_by_group,
    )
    from s2s2.errors import S2S2Error as S2S2Error
    from s2s2.evaluation import summarise as summarise
    from s2s2.evaluation.compare import compare as compare
    from s2s2.evaluation.predict import predict as predict
    from s2s2.evaluation.score import score as score
    from s2s2.generators import (
        Appearance as Appearance,
        Boxes as Boxes,
        Chain as Chain,
        Composite as Composite,
        RandConv as RandConv,
        build_generator as build_generator,
    )
    from s2s2.networks import (
        EfficientNetUNet as EfficientNetUNet,
        NetworkConfig as NetworkConfig,
        build_network as build_network,
    )
    from s2s2.objective import (
        ConsistencyLoss as ConsistencyLoss,
        FeatureTap as FeatureTap,
        SemanticStacking as SemanticStacking,
        Tap as Tap,
    )
    from s2s2.pipeline import Run as Run, RunConfig as RunConfig
    from s2s2.report import build_report as build_report
    from s2s2.stack import (
        LiveStack as LiveStack,
        PairedDataset as PairedDataset,
        Stack as Stack,
        build_stack as build_stack,
    )
    from s2s2.training import TrainConfig as TrainConfig, fit as fit
else:
    __getattr__, __dir__ = exported(__name__)
