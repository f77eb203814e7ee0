"""The pure core: no I/O, no clock, no randomness. Data in, data out."""
