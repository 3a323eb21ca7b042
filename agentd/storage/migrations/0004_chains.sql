-- Each root has a chain of embedding models, each with a space. A chunk wants a vector in the first of them. A stage is
-- `open` when chunks are queued for it: the first model that can be had, and all before it, which cannot. The vectors of
-- a stage that is `lost` cannot be searched, and have not been for long: chunks that have one there want another in the
-- next. `filled` is the path of the last document whose chunks have entered the queue, '' at first, NULL once all have.
CREATE TABLE root_space (
    root_id  INTEGER NOT NULL REFERENCES root (id) ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES space (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    open     INTEGER NOT NULL,
    lost     INTEGER NOT NULL,
    filled   TEXT,
    PRIMARY KEY (root_id, space_id)
) WITHOUT ROWID;

INSERT INTO root_space
    SELECT r.id, s.id, 0, 1, 0, CASE WHEN s.filled_to < s.fill_end THEN '' END FROM root r JOIN space s WHERE s.active;

ALTER TABLE space DROP COLUMN active;
ALTER TABLE space DROP COLUMN filled_to;
ALTER TABLE space DROP COLUMN fill_end;

-- The line that maps cosines of the space onto those of the model in the package; NULL until it is known.
ALTER TABLE space ADD COLUMN factor REAL;
ALTER TABLE space ADD COLUMN shift REAL;

-- What models of servers made of a fixed text, by which one is known again. `scale` is a float32, as `codes` belong to.
CREATE TABLE probe (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    key      TEXT NOT NULL,
    revision TEXT NOT NULL,
    codes    BLOB NOT NULL,
    scale    BLOB NOT NULL,
    UNIQUE (key, revision)
);
