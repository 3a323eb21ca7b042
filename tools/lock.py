"""Resolve the dependencies of pyproject.toml into the two lock files, with hashes and without any index address.

``requirements.lock`` is what the daemon runs on and what installs it; ``requirements-dev.lock`` adds the tools of
``make lint types test``, held to the same versions.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = [
    "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11",
    "--generate-hashes", "--no-header", "--no-emit-index-url", "--quiet",
]  # fmt: skip


def compile_lock(output: str, *arguments: str) -> None:
    """Write one lock file; versions already in it are kept unless pyproject.toml rules them out."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, *COMPILE, *arguments, "--output-file", output], cwd=ROOT, check=True)


def main() -> None:
    """Runtime first: the development lock is constrained by it."""
    compile_lock("requirements.lock", "--group", "build")
    compile_lock("requirements-dev.lock", "--group", "build", "--group", "dev", "--constraint", "requirements.lock")


if __name__ == "__main__":
    main()
