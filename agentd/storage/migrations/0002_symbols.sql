-- The structure of code: symbols, the edges between them, and what the linker still has to follow.

-- `module` is the key that imports find a document by, `folder` the part of such keys that stands for its directory,
-- `family` the languages that can name what it defines (storage/codes.py), `level` the phases of linking that it has
-- passed at least once: what changed elsewhere concerns those documents alone.
ALTER TABLE document ADD COLUMN module TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN folder TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN family INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN level INTEGER NOT NULL DEFAULT 0;

CREATE INDEX document_module ON document (root_id, module) WHERE module <> '';
CREATE INDEX document_level ON document (root_id, level) WHERE level > 0;

-- The names of definitions that begin in a chunk, and what their doc comments begin with, for the keyword view.
ALTER TABLE chunk ADD COLUMN names TEXT NOT NULL DEFAULT '';
ALTER TABLE chunk ADD COLUMN doc TEXT NOT NULL DEFAULT '';

-- With the lines, the chunk that holds a line is one step into the index.
DROP INDEX chunk_document;
CREATE INDEX chunk_document ON chunk (document_id, start_line, end_line);

-- Definitions, in the order of the file; `parent` is the ordinal of the definition around it, -1 at the top. `kind` is
-- a code (storage/codes.py). Ids are never reused, and a definition that is still there after an edit keeps its own.
CREATE TABLE symbol (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    root_id     INTEGER NOT NULL,
    family      INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    parent      INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    name        TEXT NOT NULL,
    qualified   TEXT NOT NULL,
    signature   TEXT NOT NULL,
    doc         TEXT NOT NULL,
    start_line  INTEGER NOT NULL,
    end_line    INTEGER NOT NULL,
    start_byte  INTEGER NOT NULL,
    end_byte    INTEGER NOT NULL
);

CREATE INDEX symbol_document ON symbol (document_id, ordinal);
CREATE INDEX symbol_name ON symbol (name COLLATE NOCASE, document_id);

-- Uses of definitions, replaced with their document. `source` is the id of the symbol that holds it, 0 for the file.
-- `kind`, `way`, `certainty` and `found` are codes. What the file says: `way`, how it is to be followed; `owner`, the
-- id of the class whose bases have `path`; `module`, `path`; `head`, the first part of `path` where `name` is another;
-- `certainty`. What the linker found: `via`, a document with the module's key (`inner`: that of the submodule which
-- the first part of `path` names); the target; and `found`, how sure that is. With `found` = name, the target is null:
-- any symbol of that name may be it. With `found` null it leads out of the root.
CREATE TABLE edge (
    document_id        INTEGER NOT NULL REFERENCES document (id) ON DELETE CASCADE,
    source             INTEGER NOT NULL,
    ordinal            INTEGER NOT NULL,
    kind               INTEGER NOT NULL,
    way                INTEGER NOT NULL,
    name               TEXT NOT NULL,
    line               INTEGER NOT NULL,
    owner              INTEGER,
    module             TEXT NOT NULL,
    path               TEXT NOT NULL,
    head               TEXT NOT NULL,
    certainty          INTEGER NOT NULL,
    via                INTEGER,
    inner              INTEGER NOT NULL DEFAULT 0,
    target_document_id INTEGER,
    target_symbol_id   INTEGER,
    found              INTEGER,
    PRIMARY KEY (document_id, source, ordinal)
) WITHOUT ROWID;

-- What is known by name alone; what a name is imported under, and as what.
CREATE INDEX edge_name ON edge (name) WHERE found = 3;
CREATE INDEX edge_bound ON edge (name) WHERE kind = 0 AND name <> '*';
CREATE INDEX edge_alias ON edge (head) WHERE kind = 0 AND head <> '';
CREATE INDEX edge_target ON edge (target_symbol_id) WHERE target_symbol_id IS NOT NULL;
CREATE INDEX edge_import ON edge (document_id, name, target_document_id) WHERE kind = 0;
CREATE INDEX edge_imported ON edge (target_document_id) WHERE kind = 0 AND target_document_id IS NOT NULL;

-- What the edges of a document mention, each once: names (`what` 0) and modules (1). News of one of them concerns it.
-- Edges within a file are final, whatever changes elsewhere: what these name is left out.
CREATE TABLE mention (
    what        INTEGER NOT NULL,
    subject     TEXT NOT NULL,
    document_id INTEGER NOT NULL,
    PRIMARY KEY (what, subject, document_id)
) WITHOUT ROWID;

-- Documents whose edges the linker has to follow, from `phase` on (storage/linker.py).
CREATE TABLE link_queue (
    document_id INTEGER PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
    phase       INTEGER NOT NULL
);

CREATE INDEX link_queue_phase ON link_queue (phase);

-- What changed and may concern edges of other documents: names that appeared or vanished, keys of modules, classes
-- whose bases are others now (`subject` is the class's id). The linker looks for who is concerned.
CREATE TABLE link_news (
    root_id INTEGER NOT NULL REFERENCES root (id) ON DELETE CASCADE,
    what    INTEGER NOT NULL,
    subject NOT NULL,
    PRIMARY KEY (root_id, what, subject)
) WITHOUT ROWID;

-- The version before knew no symbols: every file is read again. What did not change keeps its chunks and vectors.
UPDATE document SET state = 'pending', attempts = 0 WHERE state = 'indexed';
