"""The semantic-stacking loss and its parts, also on top of saliency-balancing fusion. Needs torch alone.

To understand the method, read `semantic_stacking` (the loss), `consistency` (the distance of features) and
`collapse` (whether that distance asks for anything). `taps` reads the features of any network;
`saliency_balancing` is the loss of SLAug with semantic stacking on top.
"""

from s2s2.objective.collapse import Collapse
from s2s2.objective.consistency import ConsistencyLoss
from s2s2.objective.saliency_balancing import SaliencyBalancing
from s2s2.objective.semantic_stacking import SemanticStacking
from s2s2.objective.taps.features import FeatureTap, Tap
from s2s2.objective.terms import Terms

__all__ = [
    "Collapse",
    "ConsistencyLoss",
    "FeatureTap",
    "SaliencyBalancing",
    "SemanticStacking",
    "Tap",
    "Terms",
]
