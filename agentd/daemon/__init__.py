"""The process: locks, composition, services, signals, shutdown."""
