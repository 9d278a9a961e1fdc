"""Volumes on the page: which slices are shown, how, and in which words."""
