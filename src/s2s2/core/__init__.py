"""What every other package needs and none of them owns: streams, files, processes, progress."""
