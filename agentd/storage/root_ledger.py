"""``roots.json``: the folders that somebody added, beside ``index.db`` and not in it.

All else in the state is made from files and can be made again. That a person added a folder was acknowledged, and must
outlive a damaged database, and one that power loss threw back by some commits. So each change is on disk here first.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from agentd.errors import StateNewerError, StateUnusableError
from agentd.storage.set_aside import set_aside
from agentd.storage.view_files import forget_half_written, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FORMAT = 1
NAME = "roots.json"


class RootLedger:
    """Synchronous and durable: ``write`` returns when the disk has it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> set[str] | None:
        """The paths; None where there is no file, or one that is damaged, which is set aside. What a writer that was
        killed has left is removed.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read.
        """
        try:
            forget_half_written(self._path)
            content = whole(self._path.read_bytes())
            found = int(content["format"])
            roots = msgspec.convert(content["roots"], list[str]) if found <= FORMAT else []
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, IsADirectoryError) as error:
            set_aside(self._path, str(error))
            return None
        except OSError as error:
            raise self._unusable("read", error) from error
        if found > FORMAT:
            raise StateNewerError(
                f"The state file {self._path} has format {found}, and this agentd knows formats up to {FORMAT}. Run "
                "the newer agentd that wrote it, or delete the file: roots are kept in index.db too.",
                path=str(self._path),
            )
        return set(roots)

    def write(self, roots: Iterable[str]) -> None:
        """Replace the file.

        Raises:
            StateUnusableError: the old one still holds.
        """
        content: dict[str, object] = {"format": FORMAT, "roots": sorted(roots)}
        content["crc"] = checksum(content)
        try:
            replace_file(self._path, [msgspec.json.format(msgspec.json.encode(content)), b"\n"])
        except OSError as error:
            raise self._unusable("write", error) from error

    def _unusable(self, verb: str, error: OSError) -> StateUnusableError:
        return StateUnusableError(
            f"cannot {verb} {self._path}: {error.strerror}; check free space and permissions, and try again",
            path=str(self._path),
        )


def whole(data: bytes) -> dict[str, Any]:
    """The fields of a ledger, whatever its format.

    Raises:
        ValueError: it is damaged.
    """
    content: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    if content.pop("crc", None) != checksum(content):
        raise ValueError("it does not match its checksum")
    return content


def checksum(content: Mapping[str, object]) -> int:
    """CRC-32 of all other fields as compact JSON, in every format, so that damage is never taken for a newer one."""
    return zlib.crc32(msgspec.json.encode(content))
