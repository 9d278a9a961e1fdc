"""The folder of a run: its settings, and every file in it."""
