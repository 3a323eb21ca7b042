-- Pages and searches of the web for a time, each under a hash of what was asked: no address and no query stands here
-- but in what was found. A file of its own: it may be deleted at any time, and costs only asking again.

-- `expires` and `used` are in seconds since the epoch; `used` is in steps of an hour, so that reading writes seldom.
CREATE TABLE entry (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    key     BLOB NOT NULL,
    stored  REAL NOT NULL,
    expires REAL NOT NULL,
    used    INTEGER NOT NULL,
    value   BLOB NOT NULL,
    UNIQUE (kind, key)
);

-- Eviction and expiry must not read the values.
CREATE INDEX entry_expires ON entry (expires);
CREATE INDEX entry_used ON entry (used);
