"""What Prometheus is told: a table of families, each with where its samples come from.

``requests``, ``index``, ``compute``, ``limits`` and ``process`` hold the table, ``exporter`` gathers and renders,
``textfile`` writes. Labels hold names of ours alone (methods, stages, lanes, reasons): no path, no text, so that
everybody may read them, and only so many series as there are names.
"""
