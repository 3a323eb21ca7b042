-- The version before stored secrets as it stored all text: every file is read again, and they are masked. What holds
-- none keeps its chunks and vectors. What was deleted may still stand in unused space, so the file is written anew.
UPDATE document SET state = 'pending', attempts = 0 WHERE state = 'indexed';

INSERT OR REPLACE INTO meta SELECT 'purge', 1 WHERE EXISTS (SELECT 1 FROM document);
