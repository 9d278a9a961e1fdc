"""Files and folders of images and masks, read."""
