"""Network `dino-light`: DINOv2 or DINOv3, frozen, under a light convolutional decoder."""
