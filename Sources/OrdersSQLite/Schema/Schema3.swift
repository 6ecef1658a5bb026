// Version 3: the follow graph. Source follows destination; a cursor names the last seq, so an edge that stays is seen once.

let schema3 = """
    CREATE TABLE relationships(
        seq INTEGER PRIMARY KEY,
        source BLOB NOT NULL REFERENCES people,
        destination BLOB NOT NULL REFERENCES people,
        label TEXT NOT NULL DEFAULT 'follows' CHECK (label = 'follows'),
        UNIQUE (source, destination),
        CHECK (source <> destination)
    ) STRICT;
    CREATE INDEX relationships_following ON relationships(source, seq, destination);
    CREATE INDEX relationships_followers ON relationships(destination, seq, source);

    CREATE TABLE relationship_counts(
        person_ref BLOB NOT NULL PRIMARY KEY,
        followers INTEGER NOT NULL DEFAULT 0 CHECK (followers >= 0),
        following INTEGER NOT NULL DEFAULT 0 CHECK (following >= 0)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER relationship_added AFTER INSERT ON relationships BEGIN
        INSERT INTO relationship_counts(person_ref, following) VALUES (new.source, 1) ON CONFLICT DO UPDATE SET following = following + 1;
        INSERT INTO relationship_counts(person_ref, followers) VALUES (new.destination, 1) ON CONFLICT DO UPDATE SET followers = followers + 1;
    END;
    CREATE TRIGGER relationship_removed AFTER DELETE ON relationships BEGIN
        UPDATE relationship_counts SET following = following - 1 WHERE person_ref = old.source;
        UPDATE relationship_counts SET followers = followers - 1 WHERE person_ref = old.destination;
    END;
    CREATE TRIGGER relationship_unchanged BEFORE UPDATE ON relationships BEGIN SELECT raise(ABORT, 'an edge is made or removed, not changed'); END;
    """
