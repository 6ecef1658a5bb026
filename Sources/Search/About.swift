// Plans, scorers, collectors, aggregations, highlighting.
