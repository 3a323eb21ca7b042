"""``AGENTD_SECTION_KEY`` in the environment sets one key of the configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentd.config.schema import ENVIRONMENT_PREFIX, FIELDS, nearest
from agentd.config.values import convert
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES = frozenset({"AGENTD_CONFIG", "AGENTD_SOCKET", "AGENTD_STATE_DIR"})
"""Read by ``agentd.config.paths``, for clients too."""


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Values by key; a variable that is set to nothing counts as not set.

    Raises:
        ConfigError: an ``AGENTD_`` variable is unknown, of the wrong type or out of bounds.
    """
    fields = {field.variable: field for field in FIELDS.values()}
    values = {}
    for variable, value in environ.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in PLACES or not value:
            continue
        field = fields.get(variable)
        if field is None:
            raise ConfigError(f"unknown environment variable {variable}; {nearest(variable, [*fields, *PLACES])}")
        if not field.scalar:
            raise ConfigError(f"{variable}: {field.key} is {field.expected}; set it in the configuration file")
        values[field.key] = convert(field, value, f"environment variable {variable}", text=True)
    return values
