"""Compare directories with how they were at the last look: for those that no event tells of.

The state of a directory is 16 bytes for each entry, 8 that stand for its name and 8 for its signature. It says which
entries changed or came, so that only these need to be looked at; that some went it says without their names. Ignore
rules are not asked: whoever looks at what changed asks them.
"""

from __future__ import annotations

import os
import stat as st
from hashlib import blake2b
from typing import TYPE_CHECKING

from agentd.kernels.messages import PollPage, PollRequest
from agentd.kernels.reading import OUT_OF_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

HALF, WHOLE = 8, 16
PAGE_DIRECTORIES = 200

Look = dict[bytes, tuple[bytes, str]]
"""Hash of the name -> hash of the signature, name."""


def poll(request: PollRequest) -> Iterator[PollPage]:
    """Yield the states of the requested directories, in their order, and the paths that differ from what was known.

    Raises:
        OSError: the process ran out of descriptors or memory; a directory that cannot be listed has an empty state.
    """
    page = PollPage([], [])
    for number, directory in enumerate(request.directories):
        state, changed = _compare(directory, request.known[number] if request.known else None)
        page.states.append(state)
        page.changed.extend(changed)
        if len(page.states) == PAGE_DIRECTORIES:
            yield page
            page = PollPage([], [])
    yield page


def _compare(directory: str, known: bytes | None) -> tuple[bytes, list[str]]:
    try:
        look = _look(directory)
    except OSError as error:
        if error.errno in OUT_OF_RESOURCES:
            raise
        return b"", [directory] if known else []
    state = b"".join(name + signature for name, (signature, _) in sorted(look.items()))
    if known is None or state == known:
        return state, []
    return state, _differences(directory, look, known)


def _differences(directory: str, look: Look, known: bytes) -> list[str]:
    before = {known[at : at + HALF]: known[at + HALF : at + WHOLE] for at in range(0, len(known), WHOLE)}
    names = [name for key, (signature, name) in look.items() if before.get(key) != signature]
    # A name that is not UTF-8 cannot go over the wire; the walk of its directory reports it.
    changed = {f"{directory}/{name}" if _is_utf8(name) else directory for name in names}
    if before.keys() - look.keys():
        changed.add(directory)
    return sorted(changed)


def _look(directory: str) -> Look:
    with os.scandir(directory) as entries:
        return {_name_hash(entry.name): (_signature_hash(entry), entry.name) for entry in entries}


def _name_hash(name: str) -> bytes:
    return blake2b(os.fsencode(name), digest_size=HALF).digest()


def _signature_hash(entry: os.DirEntry[str]) -> bytes:
    """Of what ``signature`` is made of. A directory's own times are those of its entries, which have a state."""
    try:
        stat = entry.stat(follow_symlinks=False)
    except OSError:
        return b"\0" * HALF
    own = () if st.S_ISDIR(stat.st_mode) else (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    # Hashes of numbers, unlike those of text, are the same in every process.
    return hash((stat.st_mode, stat.st_ino, *own)).to_bytes(HALF, "little", signed=True)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
