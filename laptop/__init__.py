"""Darkroom on one machine: an emulator of AWS, the same CDK app deployed to it, and what closes the emulator's gaps."""
