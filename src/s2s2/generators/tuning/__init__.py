"""Tuning: the one way in which a learnt generator learns.

A generator brings a `TunedModule` (what learns, its loss, how it samples) and a
map-style set of items; `run_tuning` does the rest on Lightning: steps, averaged
weights, samples that are judged and drawn, early stop, resumption after a kill.
"""
