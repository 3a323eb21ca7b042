"""What Prometheus is told: a table of families, each with where its samples come from.

``requests``, ``index``, ``providers``, ``agent``, ``compute``, ``limits`` and ``process`` hold the table, ``exporter``
gathers and renders, ``textfile`` writes. Labels hold names of ours or of the configuration alone (methods, stages,
lanes, reasons, tools): no path, no text, so that everybody may read them, and only so many series as there are names.
"""
