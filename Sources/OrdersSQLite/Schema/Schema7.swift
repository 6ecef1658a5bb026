// Version 7: which keys personal data outside hot is sealed with (`PersonKeyFile`). Written with the first batch that leaves hot, in the transaction that begins it.

let schema7 = """
    CREATE TABLE sealing(
        one INTEGER PRIMARY KEY CHECK (one = 1),
        keys_id BLOB NOT NULL CHECK (length(keys_id) = 16),
        changes INTEGER NOT NULL CHECK (changes >= 0)
    ) STRICT;
    """
