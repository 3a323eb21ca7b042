"""Entries arrive in the journal with their fields; a socket of ours stands in for its own."""

from __future__ import annotations

import array
import io
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from agentd.config.streams import leads_to_journal
from agentd.observability.journal import encoded, field_name, fields_of
from agentd.observability.logging import configure
from agentd.observability.masking import set_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("logging_as_it_was")

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", min_size=1)


class FakeJournal:
    """Receives what the journal would."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(5)
        self._socket.bind(self.path)

    def receive(self) -> dict[str, str]:
        data, rights, *_ = self._socket.recvmsg(1 << 20, 64)
        if rights:
            assert data == b""
            (file,) = array.array("i", rights[0][2])
            with os.fdopen(file, "rb") as opened:
                opened.seek(0)
                data = opened.read()
                with pytest.raises(OSError, match="not permitted"):
                    os.ftruncate(file, 0)  # the journal takes only what nobody can change any more
        return decoded(data)

    def close(self) -> None:
        self._socket.close()


def decoded(data: bytes) -> dict[str, str]:
    """The fields of a datagram, as the protocol's page has it."""
    fields = {}
    while data:
        head, _, data = data.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, data = data[8 : 8 + size], data[9 + size :]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FakeJournal]:
    fake = FakeJournal(tmp_path / "journal")
    yield fake
    fake.close()


@pytest.fixture
def stderr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """A stream that leads to the journal, as the service manager says it."""
    with (tmp_path / "stderr").open("w+") as stream:
        stat = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{stat.st_dev}:{stat.st_ino}")
        yield stream


@given(st.dictionaries(NAMES, TEXTS))
def test_what_is_encoded_can_be_read_again(fields: dict[str, str]) -> None:
    assert decoded(encoded(fields)) == fields


@given(st.text(min_size=1))
def test_a_field_has_a_name_that_the_journal_takes(key: str) -> None:
    name = field_name(key)
    assert len(name) <= 64
    assert name.startswith("AGENTD_")
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")


def test_an_event_is_an_entry_with_its_fields(journal: FakeJournal, stderr: TextIO) -> None:
    configure("info", "auto", stderr, journal.path)
    structlog.contextvars.bind_contextvars(request="7-1")
    structlog.get_logger("x").warning("watch_failed", root="/a b", error="no\nroom", count=3)
    entry = journal.receive()
    assert Path(entry.pop("CODE_FILE")) == Path(__file__)
    assert int(entry.pop("CODE_LINE")) > 0
    assert entry == {
        "MESSAGE": 'watch_failed root="/a b" error="no\\nroom" count=3 request=7-1',
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "agentd",
        "CODE_FUNC": "test_an_event_is_an_entry_with_its_fields",
        "AGENTD_EVENT": "watch_failed",
        "AGENTD_ROOT": "/a b",
        "AGENTD_ERROR": "no\nroom",
        "AGENTD_COUNT": "3",
        "AGENTD_REQUEST": "7-1",
    }
    stderr.seek(0)
    assert stderr.read() == ""


def test_a_traceback_follows_the_message(journal: FakeJournal, stderr: TextIO) -> None:
    configure("info", "auto", stderr, journal.path)
    try:
        int("no good")
    except ValueError:
        structlog.get_logger("x").exception("request_failed")
    entry = journal.receive()
    assert entry["PRIORITY"] == "3"
    assert entry["MESSAGE"].startswith("request_failed\nTraceback")
    assert entry["MESSAGE"].endswith("'no good'")


def test_what_no_datagram_holds_goes_as_a_file(journal: FakeJournal, stderr: TextIO) -> None:
    configure("info", "auto", stderr, journal.path)
    structlog.get_logger("x").info("long", value="x" * 20_000_000)
    assert len(journal.receive()["AGENTD_VALUE"]) == 20_000_000


def test_no_field_shows_a_secret(journal: FakeJournal, stderr: TextIO) -> None:
    configure("info", "auto", stderr, journal.path)
    set_secrets(["hunter2-hunter2"])
    structlog.get_logger("x").info("asked", url="https://x/?key=hunter2-hunter2")
    assert "hunter2" not in repr(journal.receive())


def test_without_the_journal_lines_go_to_standard_error_with_their_priority(tmp_path: Path, stderr: TextIO) -> None:
    configure("info", "auto", stderr, str(tmp_path / "nobody"))
    structlog.get_logger("x").error("cannot_start", error="no\nroom")
    stderr.seek(0)
    (line,) = stderr.read().splitlines()
    assert line[:3] == "<3>"
    shown = json.loads(line[3:])
    assert shown.pop("timestamp")
    assert shown == {"event": "cannot_start", "error": "no\nroom", "level": "error"}


def test_json_that_was_asked_for_is_json_in_the_journal_too(journal: FakeJournal, stderr: TextIO) -> None:
    configure("info", "json", stderr, journal.path)
    structlog.get_logger("x").info("ready")
    stderr.seek(0)
    assert stderr.read().startswith('<6>{"event": "ready"')


def test_a_journal_that_is_not_read_costs_no_line_and_no_wait(journal: FakeJournal, stderr: TextIO) -> None:
    configure("info", "auto", stderr, journal.path)
    log = structlog.get_logger("x")
    for number in range(2000):
        log.info("flood", number=number)
    stderr.seek(0)
    spilled = [json.loads(line[3:])["number"] for line in stderr.read().splitlines()]
    received = [int(journal.receive()["AGENTD_NUMBER"]) for _ in range(2000 - len(spilled))]
    assert spilled
    assert received + spilled == list(range(2000))


def test_only_the_stream_that_was_connected_leads_to_the_journal(tmp_path: Path, stderr: TextIO) -> None:
    assert leads_to_journal(stderr)
    assert not leads_to_journal(io.StringIO())
    assert not leads_to_journal(stderr, {})
    with (tmp_path / "other").open("w") as other:
        assert not leads_to_journal(other)


def test_a_bare_event_has_a_message() -> None:
    assert fields_of({"event": "stopped"})["MESSAGE"] == "stopped"
