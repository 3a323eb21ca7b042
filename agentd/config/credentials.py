"""Secrets that the service manager hands over as files: ``LoadCredential=NAME:PATH`` in the unit.

They come from a directory that only the service can read, and never through the environment, which children inherit
and ``/proc`` shows. Source: systemd.exec(5), "Credentials"; https://systemd.io/CREDENTIALS.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 64 * 1024
"""Of one credential; a key or a certificate has a few thousand."""
MOST_CREDENTIALS = 64

_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")


def read_credentials(directory: Path | None) -> Mapping[str, str]:
    """Values by name, without the newline at their end; nothing where there is no directory.

    Raises:
        ConfigError: one cannot be read, has a name or a size that no credential has, or is not UTF-8. The message names
            it and never holds any of its value.
    """
    if directory is None:
        return {}
    try:
        names = sorted(entry.name for entry in os.scandir(directory))
    except OSError as error:
        raise ConfigError(f"cannot list the credentials in {directory}: {error.strerror}") from error
    if len(names) > MOST_CREDENTIALS:
        raise ConfigError(f"expected at most {MOST_CREDENTIALS} credentials, found {len(names)} in {directory}")
    return {name: _read(directory, name) for name in names}


def _read(directory: Path, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"credential {name!r}: expected a name of letters, digits, dots, dashes and underscores")
    try:
        with (directory / name).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read the credential {name} in {directory}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"credential {name}: expected at most {MAX_BYTES} bytes, found more")
    try:
        value = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:  # not chained: the error holds the bytes
        raise ConfigError(f"credential {name}: expected UTF-8 text, found other bytes") from None
    if not value:
        raise ConfigError(f"credential {name}: expected a value, found nothing; remove it from the unit or fill it in")
    return value
