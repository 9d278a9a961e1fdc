"""FCBFormer: a pyramid vision transformer and a fully convolutional U-Net, side by side."""
