"""Generator `controlnet`: Stable Diffusion conditioned on a mask, the published generator."""
