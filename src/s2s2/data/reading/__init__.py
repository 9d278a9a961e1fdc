"""Reading of images, masks, folders and manifests."""
