"""Generators without training, `appearance`, `composite`, `boxes`: real pixels rearranged, masks exact."""
