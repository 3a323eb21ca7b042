"""The command line of the daemon."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from agentd import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


class Flags(Struct, frozen=True, kw_only=True):
    """What was typed, as it was typed; None where a flag was not given."""

    roots: tuple[str, ...] = ()
    config: str | None = None
    socket: str | None = None
    state_dir: str | None = None
    log_level: str | None = None
    log_format: str | None = None
    idle_exit: str | None = None
    check: bool = False


def parse_flags(argv: Sequence[str] | None = None) -> Flags:
    """Reads ``argv`` (default: that of the process); leaves the process with code 2 on wrong usage."""
    return msgspec.convert(vars(_parser().parse_args(argv)), Flags)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="agentd",
        description="Keeps an index of folders of code and documents, and answers searches on a Unix socket.",
        epilog="Flags go before environment variables, these before the configuration file.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--root", dest="roots", metavar="DIR", action="append", default=[], help="folder to index; may be repeated"
    )
    parser.add_argument("--config", metavar="FILE", help="configuration file")
    parser.add_argument("--socket", metavar="PATH", help="socket to listen on")
    parser.add_argument("--state-dir", metavar="DIR", help="folder for the index and the embedding cache")
    parser.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning or error")
    parser.add_argument("--log-format", metavar="FORMAT", help="auto, console or json")
    parser.add_argument(
        "--idle-exit", metavar="SECONDS", help="leave when nobody has been connected for that long; 0 stays (default)"
    )
    parser.add_argument("--check", action="store_true", help="check and print the effective configuration, then leave")
    parser.add_argument("--version", action="version", version=f"agentd {__version__}")
    return parser
