"""From files on disk to rows, views and vectors.

``watcher`` and timers hint at paths -> ``keeper`` scans them -> ``ingest`` parses what changed -> the feed ->
``followers`` bring the views up to date -> ``embedder`` gives every chunk its vector. ``index`` is the face that the
rest sees.
"""
