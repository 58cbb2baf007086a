"""The work itself: one module for each stage of the pipeline, pure functions of an image."""
