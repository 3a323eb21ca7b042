"""The tree that is indexed: the source distribution of Django 5.1, fetched once."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache" / "bench"
REQUIREMENT = "Django==5.1"
ARCHIVES = "[Dd]jango-5.1.tar.gz"
FOLDERS = "[Dd]jango-5.1"


def django() -> Path:
    """The unpacked distribution, downloaded with pip when it is not there yet.

    Raises:
        FileNotFoundError: pip could not get it; says how to go on without.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    found = next(CACHE.glob(FOLDERS), None)
    return found or _unpack(next(CACHE.glob(ARCHIVES), None) or _download())


def _download() -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", str(CACHE), REQUIREMENT], check=False)
    archive = next(CACHE.glob(ARCHIVES), None)
    if archive is None:
        raise FileNotFoundError(f"expected {REQUIREMENT} as {CACHE}/{ARCHIVES}; fetch it there, or give --corpus DIR")
    return archive


def _unpack(archive: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(CACHE, filter="data")
    return next(CACHE.glob(FOLDERS))
