"""Supervised worker processes: what computes, so that the loop never does. Import ``agentd.compute.pool``.

Empty on purpose: a worker imports this package too, and must not pay for the daemon's half of it.
"""
