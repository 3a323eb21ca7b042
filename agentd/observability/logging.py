"""Structured logs: one line an event on standard error, as JSON for machines or coloured for a console; where standard
error is the systemd journal, an entry with fields in there.

The level can change at any time, also for loggers that are in use: :func:`set_level`. Lines carry no local variables,
since those hold text of documents.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import (
    CallsiteParameter,
    CallsiteParameterAdder,
    JSONRenderer,
    TimeStamper,
    add_log_level,
    format_exc_info,
)

from agentd.config.streams import leads_to_journal
from agentd.observability.journal import PRIORITIES, SOCKET, Journal, fields_of
from agentd.observability.lines import Lines
from agentd.observability.masking import mask_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from structlog.typing import EventDict, Processor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "console", "json"]
Form = Literal["console", "json", "prefixed", "journal"]


class _Output:
    """Where lines go and which of them do: the one piece of shared state, so that loggers in use see it change."""

    def __init__(self) -> None:
        self.threshold = logging.INFO
        self.lines = Lines(sys.stderr or io.StringIO())  # None where it is closed (agentd 2>&-)
        self.journal: Journal | None = None

    def write(self, line: str, fields: Mapping[str, str] | None = None) -> None:
        """Send ``fields`` to the journal, or write ``line``; a reader that is gone or stopped holds up nobody."""
        if fields is not None and self.journal is not None and self.journal.send(fields):
            return
        try:
            lost = self.lines.write(line)
        except (OSError, ValueError):  # a broken pipe, a closed stream: there is nowhere left to say so
            return
        if lost:
            _log.warning("log_lines_lost", lines=lost)

    debug = info = warning = error = critical = exception = write


_output = _Output()
_processors: list[Processor] = []  # changed in place, because loggers in use keep the list
_mask = cast("Processor", mask_secrets)  # a processor after the renderer takes and gives a line, not a dict
_as_json = cast("Callable[[Any, str, EventDict], str]", JSONRenderer())  # bytes come of other serialisers alone
_CALLER_PARAMETERS = (CallsiteParameter.PATHNAME, CallsiteParameter.LINENO, CallsiteParameter.FUNC_NAME)
_CALLER = CallsiteParameterAdder(_CALLER_PARAMETERS, additional_ignores=[__name__])


class LevelLogger(structlog.BoundLoggerBase):
    """Drops what lies below the level before anything is built: some 100 ns for a line that is not written."""

    def debug(self, event: str, **fields: object) -> None:
        """Detail for whoever is looking for a fault."""
        self._log(logging.DEBUG, "debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Something that happens seldom and is worth knowing."""
        self._log(logging.INFO, "info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Something that a person should look at when there is time."""
        self._log(logging.WARNING, "warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Something that failed."""
        self._log(logging.ERROR, "error", event, fields)

    def critical(self, event: str, **fields: object) -> None:
        """Something that ends the daemon."""
        self._log(logging.CRITICAL, "critical", event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Something that failed, with the traceback of the exception being handled."""
        fields.setdefault("exc_info", True)
        self._log(logging.ERROR, "error", event, fields)

    def _log(self, level: int, method: str, event: str, fields: dict[str, Any]) -> None:
        if level >= _output.threshold:
            self._proxy_to_logger(method, event, **fields)


class _StandardLibraryBridge(logging.Handler):
    """Sends records of the standard library (asyncio's own, those of dependencies) down the same road."""

    def emit(self, record: logging.LogRecord) -> None:
        """Turn a record into an event."""
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        method = "debug" if record.levelno < logging.INFO else record.levelname.lower()
        getattr(_log, method, _log.warning)(record.getMessage(), **fields)


_log = structlog.get_logger("stdlib")


def configure(
    level: Level, output_format: Format = "auto", stream: TextIO | None = None, journal: str = SOCKET
) -> None:
    """Set up logging for the process; may be called again. ``stream`` defaults to standard error; where it leads to the
    journal, ``auto`` sends entries to the socket ``journal``.
    """
    _output.lines = Lines(stream or sys.stderr)
    form = _form(output_format, _output.lines.stream)
    if _output.journal is not None:
        _output.journal.close()
    _output.journal = Journal(journal) if form == "journal" else None
    _processors[:] = _pipeline(form)
    structlog.configure(
        processors=_processors,
        wrapper_class=LevelLogger,
        logger_factory=lambda *_arguments: _output,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_StandardLibraryBridge()], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("aiosqlite").setLevel(logging.INFO)  # it tells of each call, which nobody can follow
    set_level(level)


def set_level(level: Level) -> None:
    """Change the level, live."""
    _output.threshold = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger().setLevel(_output.threshold)


def _form(output_format: Format, stream: TextIO) -> Form:
    """What a line looks like. The journal reads ``<6>`` before one as its priority (sd-daemon(3))."""
    if output_format == "console" or (output_format == "auto" and stream.isatty()):
        return "console"
    if not leads_to_journal(stream):
        return "json"
    return "journal" if output_format == "auto" else "prefixed"


def _pipeline(form: Form) -> list[Processor]:
    shared: list[Processor] = [structlog.contextvars.merge_contextvars, add_log_level]
    if form == "console":
        # The default formatter prints local variables.
        renderer = ConsoleRenderer(
            colors=_output.lines.stream.isatty(), exception_formatter=plain_traceback, pad_level=False, pad_event_to=0
        )
        return [*shared, TimeStamper("%H:%M:%S", utc=False), renderer, _mask]
    shared += [TimeStamper("iso", utc=True), format_exc_info]
    if form == "journal":
        return [*shared, _CALLER, _journal_entry]
    return [*shared, _prefixed if form == "prefixed" else _as_json, _mask]


def _prefixed(logger: Any, method: str, event: EventDict) -> str:
    return f"<{PRIORITIES.get(event['level'], PRIORITIES['info'])}>{_as_json(logger, method, event)}"


def _journal_entry(logger: Any, method: str, event: EventDict) -> tuple[tuple[str], dict[str, Any]]:
    """What ``write`` is called with."""
    fields = {name: mask_secrets(logger, method, value) for name, value in fields_of(event).items()}
    for parameter in _CALLER_PARAMETERS:
        event.pop(parameter.value, None)
    return (mask_secrets(logger, method, _prefixed(logger, method, event)),), {"fields": fields}
