"""Cases, their files, their splits and what is done to images before a network."""
