"""``roots.json``: the folders that somebody added, beside ``index.db`` and not in it.

All else in the state is made from files and can be made again. That a person added a folder was acknowledged, and must
outlive a damaged database, and one that power loss threw back by some commits. So each change is on disk here first.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import msgspec

from agentd.errors import StateNewerError, StateUnusableError
from agentd.storage.set_aside import set_aside
from agentd.storage.view_files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORMAT = 1
NAME = "roots.json"


class _Content(msgspec.Struct):
    """What the file holds; ``crc`` is that of the paths, each followed by a zero byte."""

    format: int
    roots: list[str]
    crc: int


class RootLedger:
    """Synchronous and durable: ``write`` returns when the disk has it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> set[str] | None:
        """The paths; None where there is no file, or one that is damaged, which is set aside.

        Raises:
            StateNewerError: a newer agentd wrote it.
            StateUnusableError: it cannot be read.
        """
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, IsADirectoryError, UnicodeDecodeError) as error:
            set_aside(self._path, str(error))
            return None
        except OSError as error:
            raise self._unusable("read", error) from error
        if content.format > FORMAT:
            raise StateNewerError(
                f"The state file {self._path} has format {content.format}, and this agentd knows formats up to "
                f"{FORMAT}. Run the newer agentd that wrote it, or delete the file: roots are kept in index.db too.",
                path=str(self._path),
            )
        if content.crc != _crc(content.roots):
            set_aside(self._path, "it does not match its checksum")
            return None
        return set(content.roots)

    def write(self, roots: Iterable[str]) -> None:
        """Replace the file.

        Raises:
            StateUnusableError: the old one still holds.
        """
        paths = sorted(roots)
        content = msgspec.json.format(msgspec.json.encode(_Content(FORMAT, paths, _crc(paths))), indent=1)
        try:
            replace_file(self._path, [content, b"\n"])
        except OSError as error:
            raise self._unusable("write", error) from error

    def _unusable(self, verb: str, error: OSError) -> StateUnusableError:
        return StateUnusableError(
            f"cannot {verb} {self._path}: {error.strerror}; check free space and permissions, and try again",
            path=str(self._path),
        )


def _crc(paths: list[str]) -> int:
    return zlib.crc32(b"".join(path.encode(errors="surrogatepass") + b"\0" for path in paths))
