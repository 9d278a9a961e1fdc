"""Taps: what modules of any network return in a forward pass, by name."""
