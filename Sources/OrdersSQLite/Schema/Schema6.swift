// Version 6: copies that recalls leave in the tier an order came from. Nobody reads them; until they are removed an archive's sums would count their orders twice.

let schema6 = """
    CREATE TABLE left_copies(
        order_id BLOB NOT NULL REFERENCES order_directory(order_id),
        tier TEXT NOT NULL CHECK (tier IN ('warm', 'cold')),
        -- Of this version or an older one.
        version INTEGER NOT NULL,
        PRIMARY KEY (order_id, tier)
    ) STRICT, WITHOUT ROWID;
    """
