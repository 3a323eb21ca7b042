"""What a service manager says through the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.config.credentials import MAX_BYTES, MOST_CREDENTIALS, read_credentials
from agentd.config.manager import ServiceManager, take_manager
from agentd.errors import ConfigError


def test_without_a_manager_there_is_nothing() -> None:
    assert take_manager({}, pid=7) == ServiceManager()


def test_its_variables_are_taken_and_gone_so_that_no_child_inherits_them() -> None:
    environ = {
        "NOTIFY_SOCKET": "@/run/notify",
        "LISTEN_FDS": "2",
        "LISTEN_PID": "7",
        "LISTEN_FDNAMES": "one:two",
        "WATCHDOG_USEC": "1500000",
        "WATCHDOG_PID": "7",
        "CREDENTIALS_DIRECTORY": "/run/credentials/agentd.service",
        "HOME": "/home/a",
    }
    assert take_manager(environ, pid=7) == ServiceManager(
        notify_socket="@/run/notify",
        descriptors=(3, 4),
        names=("one", "two"),
        watchdog_seconds=1.5,
        credentials=Path("/run/credentials/agentd.service"),
    )
    assert environ == {"HOME": "/home/a"}


def test_what_is_meant_for_another_process_is_not_for_us() -> None:
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": "8", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "8"}
    assert take_manager(environ, pid=7) == ServiceManager()
    assert take_manager({"WATCHDOG_USEC": "1000000"}, pid=7).watchdog_seconds == 1.0


@pytest.mark.parametrize(
    ("name", "value"),
    [("LISTEN_FDS", "-1"), ("LISTEN_FDS", "9999"), ("WATCHDOG_USEC", "soon"), ("CREDENTIALS_DIRECTORY", "here")],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        take_manager({"LISTEN_PID": "7", name: value}, pid=7)


def test_credentials_are_read_by_name_without_the_newline_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "openai").write_text("sk-1\n")
    (tmp_path / "ca.pem").write_text("line 1\nline 2\n\n")
    assert read_credentials(tmp_path) == {"ca.pem": "line 1\nline 2", "openai": "sk-1"}
    assert read_credentials(None) == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xffsecret", "UTF-8"), (b"", "found nothing"), (b"\n", "found nothing"), (b"s" * (MAX_BYTES + 1), "at most")],
)
def test_a_credential_that_cannot_be_one_is_named_and_never_shown(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as raised:
        read_credentials(tmp_path)
    assert "key" in raised.value.message
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_names_and_numbers_of_credentials_have_bounds(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot list"):
        read_credentials(tmp_path / "missing")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="cannot read the credential folder"):
        read_credentials(tmp_path)
    (tmp_path / "folder").rmdir()
    (tmp_path / "two words").write_text("x")
    with pytest.raises(ConfigError, match="two words"):
        read_credentials(tmp_path)
    for number in range(MOST_CREDENTIALS):
        (tmp_path / f"key{number}").write_text("x")
    with pytest.raises(ConfigError, match="at most"):
        read_credentials(tmp_path)
