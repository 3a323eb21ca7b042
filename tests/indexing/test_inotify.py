"""Events as the kernel lays them out."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.indexing import inotify
from agentd.indexing.inotify import Event, Inotify, parse, system_limit

if TYPE_CHECKING:
    from pathlib import Path

events = st.lists(
    st.builds(
        Event,
        st.integers(-1, 2**31 - 1),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=40).map(lambda name: os.fsdecode(name.replace(b"\0", b""))),
    )
)


def laid_out(event: Event, padding: int) -> bytes:
    """As inotify(7) says: the name is ended by NULs that align the next event."""
    name = os.fsencode(event.name)
    name += b"\0" * (-len(name) % 16 or 16) if name else b""
    return struct.pack("iIII", event.watch, event.mask, padding, len(name)) + name


@given(events, st.integers(0, 2**32 - 1))
def test_what_the_kernel_lays_out_is_read_back(events: list[Event], cookie: int) -> None:
    assert parse(b"".join(laid_out(event, cookie) for event in events)) == events


def test_what_happens_is_read_in_order_and_an_empty_queue_is_no_wait(tmp_path: Path) -> None:
    instance = Inotify()
    watch = instance.add(str(tmp_path), inotify.CREATE | inotify.DELETE)
    assert instance.add(str(tmp_path), inotify.CREATE | inotify.DELETE) == watch
    assert instance.read(4096) == []
    (tmp_path / "a").touch()
    (tmp_path / "a").unlink()
    assert instance.read(4096) == [Event(watch, inotify.CREATE, "a"), Event(watch, inotify.DELETE, "a")]
    instance.remove(watch)
    instance.remove(watch)
    assert instance.read(4096) == [Event(watch, inotify.IGNORED, "")]
    instance.close()
    instance.close()


def test_a_directory_that_cannot_be_watched_is_an_error_with_its_path(tmp_path: Path) -> None:
    instance = Inotify()
    with pytest.raises(FileNotFoundError, match="missing"):
        instance.add(str(tmp_path / "missing"), inotify.CREATE)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        instance.add(str(tmp_path / "file"), inotify.CREATE | inotify.ONLY_DIRECTORY)
    instance.close()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        instance.add(str(tmp_path), inotify.CREATE)


def test_the_limit_of_this_system_is_known() -> None:
    assert system_limit() >= 1
