"""Random transforms of images and masks: affine, photometric and acquisition artefacts."""
