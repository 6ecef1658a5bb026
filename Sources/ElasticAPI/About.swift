// Elasticsearch REST: one file per endpoint.
