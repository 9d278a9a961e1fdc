"""Images for people to look at: the range that is shown, masks in colour, overlays."""
