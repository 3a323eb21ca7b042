-- The one truth: roots, documents, chunks, the feed of changes, and what still waits for a vector.
-- The keyword view and the vector views are derived from it and can be deleted at any time.

-- Small facts about this database. `epoch` is a random id made at creation: a view that carries another one was made
-- from another database.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

INSERT INTO meta VALUES ('epoch', lower(hex(randomblob(16))));

-- Folders kept indexed. `removing` is set before the first of a root's documents goes, so that a removal cut short by
-- a crash is finished at the next open.
CREATE TABLE root (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    path       TEXT NOT NULL UNIQUE,
    origin     TEXT NOT NULL,
    removing   INTEGER NOT NULL DEFAULT 0,
    scanned_ns INTEGER
);

-- Files below a root. `signature` is the newest seen on disk, `stored_signature` the one that the chunks were read at:
-- they differ between a scan that noticed a change and the parse that follows. `walk_skip` is the reason the walk gave
-- for leaving the file out, `skip` the reason that counts now; both are '' for none. `chunks` is their number, kept
-- here so that totals need no look at the chunks themselves.
CREATE TABLE document (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    root_id          INTEGER NOT NULL REFERENCES root (id),
    path             TEXT NOT NULL,
    size             INTEGER NOT NULL,
    mtime_ns         INTEGER NOT NULL,
    signature        TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('pending', 'indexed', 'skipped')),
    walk_skip        TEXT NOT NULL DEFAULT '',
    skip             TEXT NOT NULL DEFAULT '',
    attempts         INTEGER NOT NULL DEFAULT 0,
    stored_signature TEXT NOT NULL DEFAULT '',
    content_hash     BLOB NOT NULL DEFAULT x'',
    language         TEXT NOT NULL DEFAULT '',
    kind             TEXT NOT NULL DEFAULT '',
    embed            INTEGER NOT NULL DEFAULT 0,
    lines            INTEGER NOT NULL DEFAULT 0,
    notes            TEXT NOT NULL DEFAULT '[]',
    chunks           INTEGER NOT NULL DEFAULT 0,
    UNIQUE (root_id, path)
);

-- The queue of files to parse: what was edited last comes first.
CREATE INDEX document_pending ON document (mtime_ns DESC) WHERE state = 'pending';

-- Passages. `parts` are those of the identifiers in the text, for the keyword view alone. Ids are never reused, so a view that lags can name a chunk that is gone, but never a wrong one.
CREATE TABLE chunk (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    start_line  INTEGER NOT NULL,
    end_line    INTEGER NOT NULL,
    start_byte  INTEGER NOT NULL,
    end_byte    INTEGER NOT NULL,
    symbol      TEXT NOT NULL,
    context     TEXT NOT NULL,
    text_hash   BLOB NOT NULL,
    text        TEXT NOT NULL,
    parts       TEXT NOT NULL
);

CREATE INDEX chunk_document ON chunk (document_id);

-- What views follow. One row a document, with the generation of its last change: a view at generation g reads the rows
-- after g, and an empty view that reads from 0 sees every document that ever had text. `gone` marks documents removed;
-- those rows are trimmed once every view has passed them.
CREATE TABLE feed (
    generation  INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL UNIQUE,
    gone        INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX feed_gone ON feed (generation) WHERE gone;

-- Embedding spaces seen so far. While a space becomes active, the chunks in (filled_to, fill_end] still have to enter
-- its queue; chunks stored later enter it as they are stored.
CREATE TABLE space (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT NOT NULL UNIQUE,
    active    INTEGER NOT NULL,
    filled_to INTEGER NOT NULL DEFAULT 0,
    fill_end  INTEGER NOT NULL DEFAULT 0
);

-- Chunks that still need a vector in a space, newest document first.
CREATE TABLE embedding_queue (
    chunk_id INTEGER NOT NULL REFERENCES chunk (id) ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES space (id) ON DELETE CASCADE,
    root_id  INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (chunk_id, space_id)
) WITHOUT ROWID;

CREATE INDEX embedding_queue_order ON embedding_queue (space_id, mtime_ns DESC, chunk_id);

-- Running totals, kept by the triggers below, so that status costs the same at a hundred files and at a million.
-- `embeddable` counts the chunks that should have a vector.
CREATE TABLE document_tally (
    root_id    INTEGER NOT NULL REFERENCES root (id) ON DELETE CASCADE,
    state      TEXT NOT NULL,
    skip       TEXT NOT NULL,
    documents  INTEGER NOT NULL,
    chunks     INTEGER NOT NULL,
    embeddable INTEGER NOT NULL,
    PRIMARY KEY (root_id, state, skip)
) WITHOUT ROWID;

CREATE TABLE queue_tally (
    root_id  INTEGER NOT NULL REFERENCES root (id) ON DELETE CASCADE,
    space_id INTEGER NOT NULL REFERENCES space (id) ON DELETE CASCADE,
    queued   INTEGER NOT NULL,
    PRIMARY KEY (root_id, space_id)
) WITHOUT ROWID;

CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
    INSERT INTO document_tally VALUES (NEW.root_id, NEW.state, NEW.skip, 1, NEW.chunks, NEW.chunks * NEW.embed)
        ON CONFLICT DO UPDATE SET documents = documents + 1, chunks = chunks + excluded.chunks,
                                  embeddable = embeddable + excluded.embeddable;
END;

CREATE TRIGGER document_changed AFTER UPDATE OF state, skip, chunks, embed ON document BEGIN
    UPDATE document_tally
        SET documents = documents - 1, chunks = chunks - OLD.chunks, embeddable = embeddable - OLD.chunks * OLD.embed
        WHERE root_id = OLD.root_id AND state = OLD.state AND skip = OLD.skip;
    INSERT INTO document_tally VALUES (NEW.root_id, NEW.state, NEW.skip, 1, NEW.chunks, NEW.chunks * NEW.embed)
        ON CONFLICT DO UPDATE SET documents = documents + 1, chunks = chunks + excluded.chunks,
                                  embeddable = embeddable + excluded.embeddable;
END;

CREATE TRIGGER document_removed AFTER DELETE ON document BEGIN
    UPDATE document_tally
        SET documents = documents - 1, chunks = chunks - OLD.chunks, embeddable = embeddable - OLD.chunks * OLD.embed
        WHERE root_id = OLD.root_id AND state = OLD.state AND skip = OLD.skip;
END;

CREATE TRIGGER chunk_queued AFTER INSERT ON embedding_queue BEGIN
    INSERT INTO queue_tally VALUES (NEW.root_id, NEW.space_id, 1) ON CONFLICT DO UPDATE SET queued = queued + 1;
END;

CREATE TRIGGER chunk_unqueued AFTER DELETE ON embedding_queue BEGIN
    UPDATE queue_tally SET queued = queued - 1 WHERE root_id = OLD.root_id AND space_id = OLD.space_id;
END;
