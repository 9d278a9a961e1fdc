"""Speed and memory, as ratios within one run wherever a ratio says it."""
