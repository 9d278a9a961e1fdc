"""Volumes: reading them, cutting them into slices, and bringing label maps back."""
