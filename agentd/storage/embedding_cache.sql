-- Vectors by the hash of the exact text embedded, for every root, branch and worktree. A file of its own, because it
-- outlives the index: it may be deleted at any time and costs only the time to embed again.

CREATE TABLE space (
    id  INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE
);

-- `codes` are int8, one a dimension; codes times `scale` is the unit vector. `last_used` is in days since the epoch: a
-- finer clock would turn every read into a write.
CREATE TABLE vector (
    id        INTEGER PRIMARY KEY,
    space_id  INTEGER NOT NULL REFERENCES space (id),
    text_hash BLOB NOT NULL,
    scale     REAL NOT NULL,
    last_used INTEGER NOT NULL,
    codes     BLOB NOT NULL,
    UNIQUE (space_id, text_hash)
);

-- Eviction goes by age and must not read the codes to find it.
CREATE INDEX vector_age ON vector (last_used, space_id, text_hash);
