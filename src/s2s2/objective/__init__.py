"""The semantic-stacking loss and its parts: feature taps and consistency losses. Needs torch alone."""

from s2s2.objective.consistency import ConsistencyLoss
from s2s2.objective.features import FeatureTap, Tap
from s2s2.objective.semantic_stacking import SemanticStacking
from s2s2.objective.terms import Terms

__all__ = ["ConsistencyLoss", "FeatureTap", "SemanticStacking", "Tap", "Terms"]
