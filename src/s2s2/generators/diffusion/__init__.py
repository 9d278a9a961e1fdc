"""Generator `diffusion`: new images per mask by a network that is trained from scratch, without a hub."""
