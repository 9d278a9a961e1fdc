"""Public data sets that s2s2 knows: one declarative file each, and how their files are found."""
