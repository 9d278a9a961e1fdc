"""Raw data sets of nnU-Net: what dataset.json and splits_final.json say, and writing them."""
