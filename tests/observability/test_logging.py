from __future__ import annotations

import io
import json
import logging
import os
import re
import threading
import warnings
from typing import Any

import pytest
import structlog

from agentd.observability.logging import configure, set_level

pytestmark = pytest.mark.usefixtures("logging_as_it_was")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail_with(secret: str) -> None:
    raise ValueError("no good") if secret else RuntimeError


def test_json_is_one_line_an_event_with_level_and_utc_time() -> None:
    configure("info", "json", stream := io.StringIO())
    structlog.get_logger("x").info("root_added", path="/a\nb", documents=3)
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {"event": "root_added", "level": "info", "path": "/a\nb", "documents": 3}


def test_auto_is_a_coloured_console_on_a_terminal_and_json_elsewhere() -> None:
    configure("info", "auto", terminal := Terminal())
    structlog.get_logger("x").info("hello")
    assert "\x1b[" in terminal.getvalue()
    configure("info", "auto", pipe := io.StringIO())
    structlog.get_logger("x").info("hello", path="\x1b[31m")
    assert "\x1b" not in pipe.getvalue()
    assert lines(pipe)[0]["path"] == "\x1b[31m"
    configure("info", "console", pipe := io.StringIO())
    structlog.get_logger("x").info("hello")
    assert "\x1b" not in pipe.getvalue()


def test_a_console_line_is_short_and_has_the_time_of_the_clock_on_the_wall() -> None:
    configure("info", "console", stream := io.StringIO())
    structlog.get_logger("x").info("ready", milliseconds=470.8)
    assert re.fullmatch(r"\d\d:\d\d:\d\d \[info\] ready milliseconds=470\.8\n", stream.getvalue())


def test_the_level_changes_for_loggers_in_use() -> None:
    configure("warning", "json", stream := io.StringIO())
    log, bound = structlog.get_logger("x"), structlog.get_logger("x").bind(connection=1)
    log.info("a")
    bound.debug("b")
    set_level("debug")
    log.debug("c")
    bound.debug("d")
    set_level("error")
    log.warning("e")
    log.error("f")
    assert [line["event"] for line in lines(stream)] == ["c", "d", "f"]


def test_a_second_configuration_holds_for_loggers_in_use() -> None:
    configure("info", "console", first := io.StringIO())
    log = structlog.get_logger("x")
    log.info("a")
    configure("info", "json", second := io.StringIO())
    log.info("b")
    assert "b" not in first.getvalue()
    assert [line["event"] for line in lines(second)] == ["b"]


@pytest.mark.parametrize("output_format", ["json", "console"])
def test_a_traceback_holds_no_local_variables(output_format: Any) -> None:
    configure("info", output_format, stream := io.StringIO())
    try:
        fail_with("TEXT OF A DOCUMENT".lower())  # so that the line itself, which a traceback shows, does not hold it
    except ValueError:
        structlog.get_logger("x").exception("request_failed")
    assert "no good" in stream.getvalue()
    assert "fail_with" in stream.getvalue()
    assert "text of a document" not in stream.getvalue()
    if output_format == "json":
        assert len(stream.getvalue().splitlines()) == 1


def test_the_standard_library_and_warnings_take_the_same_road() -> None:
    configure("info", "json", stream := io.StringIO())
    logging.getLogger("asyncio").warning("took %d ms", 200)
    logging.getLogger("asyncio").debug("hidden")
    try:
        fail_with("x")
    except ValueError:
        logging.getLogger("asyncio").exception("callback failed")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    first, second, third = lines(stream)
    assert (first["event"], first["logger"], first["level"]) == ("took 200 ms", "asyncio", "warning")
    assert "ValueError" in second["exception"]
    assert third["logger"] == "py.warnings"


def test_values_that_are_no_json_are_written_all_the_same() -> None:
    configure("info", "json", stream := io.StringIO())
    structlog.get_logger("x").info("odd", path=b"\xff", name="\udcff", kind=int)
    assert lines(stream)[0]["name"] == "\udcff"
    assert "\\xff" in lines(stream)[0]["path"]


def test_a_closed_stream_is_no_error() -> None:
    configure("info", "json", stream := io.StringIO())
    stream.close()
    structlog.get_logger("x").info("nobody listens")


def test_a_reader_that_stops_loses_lines_and_holds_up_nobody() -> None:
    """``agentd 2>&1 | less``: the pipe fills, and whoever logs is the loop."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as reader, os.fdopen(writing, "w") as stream:
        configure("info", "json", stream)
        log = structlog.get_logger("x")
        small = [threading.Thread(target=lambda: [log.info("tick") for _ in range(500)], daemon=True) for _ in range(3)]
        large = threading.Thread(target=lambda: [log.info("tock", text="x" * 6000) for _ in range(50)], daemon=True)
        for thread in (large, *small):
            thread.start()
        for thread in (large, *small):
            thread.join(10)
        stuck = [thread for thread in (large, *small) if thread.is_alive()]
        os.set_blocking(reading, False)
        early = b"".join(iter(lambda: reader.read(65536) or b"", b""))
        assert not stuck
        log.info("later")
        late = reader.read(65536) or b""
    said = [json.loads(line) for line in (early + late).splitlines() if line.endswith(b"}")]
    assert [each["event"] for each in said[-2:]] == ["later", "log_lines_lost"]
    assert said[-1]["lines"] == 1550 - len(said[:-2])
