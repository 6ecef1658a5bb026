// Version 8: how often orders are read, a day, by age and tier. Some 24 rows a day; a year of them is kept.

let schema8 = """
    CREATE TABLE order_reads(
        day INTEGER NOT NULL,
        bucket INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 15),
        tier TEXT NOT NULL CHECK (tier IN ('hot', 'warm', 'cold')),
        reads INTEGER NOT NULL CHECK (reads > 0),
        PRIMARY KEY (day, bucket, tier)
    ) STRICT, WITHOUT ROWID;
    """
