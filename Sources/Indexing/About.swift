// Write buffers, sealing, merging, commit points.
