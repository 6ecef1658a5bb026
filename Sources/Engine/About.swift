// An index's life: catalogue, translog, refresh, flush, merges.
