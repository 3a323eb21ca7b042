"""Where the MCP clients of this user keep their configuration, and which of them are here.

Standard library's ``os`` alone, for ``agentctl``. Sources: Claude Code, "Connect Claude Code to tools via MCP"
(scopes), and anthropics/claude-code issue 48448 for ``CLAUDE_CONFIG_DIR``; Codex, "Configuration reference"
(``CODEX_HOME``); Cursor, "Model Context Protocol"; VS Code, "MCP configuration reference", whose user profile is
``~/.config/Code/User`` on Linux; OpenCode, "Config" (locations; JSON and JSONC).
"""

from __future__ import annotations

import os

from agentd.config import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAMS = {
    "claude-code": ("claude",),
    "codex": ("codex",),
    "cursor": ("cursor", "cursor-agent"),
    "vscode": ("code",),
    "opencode": ("opencode",),
}
NAMES = tuple(_PROGRAMS)


def user_files(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Name of a client -> its configuration file for all projects of this user; may be missing."""
    config = paths.config_home(environ)
    return {
        "claude-code": os.path.join(environ.get("CLAUDE_CONFIG_DIR") or paths.home(environ, ""), ".claude.json"),
        "codex": os.path.join(environ.get("CODEX_HOME") or paths.home(environ, ".codex"), "config.toml"),
        "cursor": paths.home(environ, ".cursor/mcp.json"),
        "vscode": os.path.join(config, "Code", "User", "mcp.json"),
        "opencode": with_comments(os.path.join(config, "opencode", "opencode.json")),
    }


def project_files(project: str) -> dict[str, str]:
    """The same for one project, where they are shared with all who work on it."""
    return {
        "claude-code": os.path.join(project, ".mcp.json"),
        "codex": os.path.join(project, ".codex", "config.toml"),
        "cursor": os.path.join(project, ".cursor", "mcp.json"),
        "vscode": os.path.join(project, ".vscode", "mcp.json"),
        "opencode": with_comments(os.path.join(project, "opencode.json")),
    }


def with_comments(path: str) -> str:
    """The ``.jsonc`` beside a ``.json`` where there is one: OpenCode reads both, and the last word is its."""
    return f"{path}c" if os.path.exists(f"{path}c") else path


def found(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Names of the clients that left a folder or a file here, or whose program is on ``PATH``."""
    traces = {name: os.path.dirname(path) for name, path in user_files(environ).items()}
    traces["claude-code"] = environ.get("CLAUDE_CONFIG_DIR") or paths.home(environ, ".claude")
    traces["vscode"] = os.path.dirname(traces["vscode"])  # its profile comes with its first start
    return [
        name
        for name, programs in _PROGRAMS.items()
        if os.path.isdir(traces[name]) or any(_on_path(program, environ) for program in programs)
    ]


def _on_path(program: str, environ: Mapping[str, str]) -> bool:
    directories = environ.get("PATH", "").split(os.pathsep)
    return any(os.access(os.path.join(directory, program), os.X_OK) for directory in directories if directory)
