"""Semantic stacking: segmentation networks that hold at the next hospital."""
