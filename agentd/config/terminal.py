"""What the environment says about the terminal. Standard library's ``os`` alone, for ``agentctl``'s start."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def knows_escapes(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal is one that understands ANSI sequences."""
    return environ.get("TERM", "dumb") not in {"", "dumb"}


def knows_links(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether OSC 8 links can be sent; the Linux console prints what it does not know."""
    return knows_escapes(environ) and environ.get("TERM") != "linux"


def wants_colour(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether colour is welcome: any value of ``NO_COLOR`` but the empty one forbids it (no-color.org)."""
    return knows_escapes(environ) and not environ.get("NO_COLOR")


def is_attached() -> bool:
    """Whether this process has a terminal that can end it: false under a service manager, and once it hung up."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True
