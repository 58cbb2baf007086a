"""Darkroom on one machine: an emulator of AWS, the same CDK app deployed to it, and the answers to the emulator's gaps."""
