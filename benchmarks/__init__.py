"""Speed and memory of the daemon, each figure beside a baseline of the same run: ``python -m benchmarks --help``."""
