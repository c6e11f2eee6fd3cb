"""One trained policy for a range of targets: the limits become a dial."""
