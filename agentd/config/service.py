"""Where a service of agentd lives on this machine: its units, its directories, and which places are not there to stay.

Standard library's ``os`` alone, for ``agentctl``. Sources: systemd.unit(5) for the unit path, file-hierarchy(7).
"""

from __future__ import annotations

import os

from agentd.config import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_UNITS = "/etc/systemd/system"
SYSTEM_STATE, SYSTEM_CONFIG = "/var/lib/agentd", "/etc/agentd"
LINGERING = "/var/lib/systemd/linger"
"""Holds a file for each user whose manager runs without a log-in (``loginctl enable-linger``)."""

_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108  # compared, not used
_DISPOSABLE = frozenset({".cache", ".tox", ".nox"})
"""Parts of paths that runners of one command (uvx, pipx run) and of tests delete at will."""
_OF_ANOTHER = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")
_UNSEEN = ("AGENTD_SOCKET", "AGENTD_STATE_DIR", "AGENTD_CONFIG")


def user_units(environ: Mapping[str, str] = os.environ) -> str:
    """The directory of the user's own units."""
    return os.path.join(os.path.dirname(os.path.dirname(paths.config_file(_elsewhere(environ))[0])), "systemd", "user")


def own_places(environ: Mapping[str, str] = os.environ) -> tuple[str, str, str]:
    """Socket, state directory and configuration file of the user's service: the defaults, whatever ``AGENTD_*`` says,
    since the service does not see this shell.
    """
    inside = _elsewhere(environ)
    return paths.socket_path(inside), paths.state_directory(inside), paths.config_file(inside)[0]


def system_places(user: str) -> tuple[str, str, str]:
    """The same three of the system's service for ``user``."""
    return (
        os.path.join(paths.SYSTEM_RUNTIME, user, paths.SOCKET_NAME),
        os.path.join(SYSTEM_STATE, user),
        os.path.join(SYSTEM_CONFIG, user, paths.CONFIG_NAME),
    )


def unseen(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that are set here and that a service will not see."""
    return [name for name in _UNSEEN if environ.get(name)]


def invoking_user(environ: Mapping[str, str] = os.environ) -> str:
    """Who called sudo; empty where nobody did."""
    return environ.get("SUDO_USER", "")


def bare(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """About what a service manager gives its services."""
    return {name: environ[name] for name in ("HOME", "PATH", "LANG") if name in environ}


def detached(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for an agentd that outlives who starts it and works elsewhere: its places are absolute, and what
    a service manager said was for another process.
    """
    places = {"AGENTD_STATE_DIR": paths.state_directory(environ)}
    path, named = paths.config_file(environ)
    if named:
        places["AGENTD_CONFIG"] = path
    return {name: value for name, value in environ.items() if name not in _OF_ANOTHER} | places


def why_temporary(directory: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why ``directory`` may be gone tomorrow; None where it looks as if it stays."""
    real = os.path.realpath(directory)
    named = [environ[name] for name in ("TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "UV_CACHE_DIR") if environ.get(name)]
    for place in (*_TEMPORARY, *map(os.path.realpath, named)):
        if real == place or real.startswith(place.rstrip("/") + "/"):
            return f"{place} is cleared from time to time"
    if found := [part for part in real.split("/") if part in _DISPOSABLE]:
        return f"{found[0]} holds what may be deleted at any time"
    return None


def _elsewhere(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment as the user's manager has it: without what is meant for one daemon alone."""
    kept = ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    return {name: environ[name] for name in kept if name in environ}
