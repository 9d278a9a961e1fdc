"""Checking of a data set before training."""
