"""Optimisation on Lightning, for trainings and tunings alike: resumable, atomic, in one process's folder."""
