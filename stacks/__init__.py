"""The infrastructure: one capability per file, connected by `darkroom_stack`."""
