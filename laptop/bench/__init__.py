"""What Darkroom costs, measured: every goal with its ratio, its peer in the same run, and whether it is met."""
