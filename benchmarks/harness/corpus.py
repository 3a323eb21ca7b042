"""What is indexed: source distributions, each fetched once; by default that of Django 5.1."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache" / "bench"


def django() -> Path:
    """The unpacked distribution of Django 5.1; raises as ``distribution`` does."""
    return distribution("Django", "5.1")


def distribution(name: str, version: str) -> Path:
    """The unpacked source distribution of a package, downloaded with pip when it is not there yet.

    Raises:
        FileNotFoundError: pip could not get it; says how to go on without.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = f"[{name[0].upper()}{name[0].lower()}]{name[1:].lower()}-{version}"
    found = next(CACHE.glob(folder), None)
    if found is None:
        archive = next(CACHE.glob(f"{folder}.tar.gz"), None) or _download(name, version, folder)
        with tarfile.open(archive) as tar:
            tar.extractall(CACHE, filter="data")
        found = next(CACHE.glob(folder))
    return found


def _download(name: str, version: str, folder: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", str(CACHE), f"{name}=={version}"], check=False)
    archive = next(CACHE.glob(f"{folder}.tar.gz"), None)
    if archive is None:
        expected = f"expected {name}=={version} as {CACHE}/{folder}.tar.gz; fetch it there"
        raise FileNotFoundError(f"{expected}, or give --corpus DIR where it is Django that is missing")
    return archive
