"""Where people leave secrets: code, settings, logs, addresses, headers. A place takes a kind's variable and a value."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable


TOKEN68 = string.ascii_letters + string.digits + "-._~+/="
"""What a bearer may have (RFC 9110, section 11.2); an address is not given as one."""


class Place(NamedTuple):
    """``plant`` gives a text that holds ``value``. Only with ``lines`` may that have several, and where there are
    ``chars``, it is of these alone.
    """

    name: str
    plant: Callable[[str, str], str]
    lines: bool = False
    chars: str = ""

    def takes(self, value: str) -> bool:
        """Whether people put such a value here."""
        return (self.lines or "\n" not in value) and (not self.chars or set(value) <= set(self.chars))


def camel(variable: str) -> str:
    """``DB_PASSWORD`` as ``dbPassword``."""
    first, *rest = variable.lower().split("_")
    return first + "".join(map(str.capitalize, rest))


def halves(value: str) -> tuple[str, str]:
    """Two parts, as a line that would be too long is cut."""
    return value[: len(value) // 2], value[len(value) // 2 :]


def python_assignment(variable: str, value: str) -> str:
    """A module of settings."""
    quoted = f'"""{value}\n"""' if "\n" in value else f'"{value}"'
    return f'import os\n\nDEBUG = os.environ.get("DEBUG") == "1"\n{variable} = {quoted}\nTIMEOUT = 30\n'


def python_split(variable: str, value: str) -> str:
    """A string cut in two, because the line would be too long."""
    first, second = halves(value)
    return (
        f'class Settings:\n    {variable.lower()} = (\n        "{first}"\n        "{second}"\n    )\n    retries = 3\n'
    )


def python_call(variable: str, value: str) -> str:
    """An argument by name."""
    return f'client = connect(\n    host="db.internal",\n    {variable.lower()}="{value}",\n    timeout=5,\n)\n'


def python_dict(variable: str, value: str) -> str:
    """A member of a dictionary."""
    return f"DATABASES = {{\n    'default': {{'ENGINE': 'postgresql', '{variable}': '{value}', 'PORT': 5432}},\n}}\n"


def javascript(variable: str, value: str) -> str:
    """A member of an object."""
    return f"module.exports = {{\n  port: 8080,\n  {camel(variable)}: '{value}',\n  debug: false,\n}};\n"


def javascript_sum(variable: str, value: str) -> str:
    """A sum of two strings."""
    first, second = halves(value)
    return f"const {camel(variable)} = '{first}' +\n  '{second}';\nstart();\n"


def go(variable: str, value: str) -> str:
    """A short declaration."""
    return f'func main() {{\n\t{camel(variable)} := "{value}"\n\trun({camel(variable)}, 8080)\n}}\n'


def java(variable: str, value: str) -> str:
    """A constant."""
    return f'public final class Settings {{\n    private static final String {variable} = "{value}";\n}}\n'


def shell(variable: str, value: str) -> str:
    """A script's export."""
    return f"#!/bin/sh\nset -e\nexport {variable}='{value}'\nexec ./serve --port 8080\n"


def env(variable: str, value: str) -> str:
    """A file of variables."""
    return f"APP_ENV=production\n{variable}={value}\nPORT=8080\n"


def env_quoted(variable: str, value: str) -> str:
    """A file of variables, quoted."""
    return f'APP_ENV=production\n{variable}="{value}"\nPORT=8080\n'


def dockerfile(variable: str, value: str) -> str:
    """A variable of an image."""
    return f"FROM python:3.11-slim\nENV {variable}={value}\nCOPY . /app\n"


def compose_list(variable: str, value: str) -> str:
    """A container's environment as a list."""
    return f"services:\n  web:\n    image: web:1.2\n    environment:\n      - {variable}={value}\n      - PORT=8080\n"


def compose_mapping(variable: str, value: str) -> str:
    """A container's environment as a mapping; what YAML would read otherwise is quoted."""
    plain = value.replace("-", "").replace("_", "").isalnum()
    shown = value if plain else f"'{value}'"
    return f"services:\n  web:\n    environment:\n      {variable}: {shown}\n      PORT: 8080\n"


def kubernetes(variable: str, value: str) -> str:
    """A container's variable, its value on a line of its own."""
    return f'    env:\n      - name: {variable}\n        value: "{value}"\n      - name: PORT\n        value: "8080"\n'


def yaml_block(variable: str, value: str) -> str:
    """A block of text."""
    body = "\n".join(f"    {line}" for line in value.splitlines())
    return f"data:\n  {variable.lower()}: |\n{body}\n  port: 8080\n"


def json_member(variable: str, value: str) -> str:
    """A member of an object."""
    return json.dumps({"region": "eu-west-1", camel(variable): value, "retries": 3}, indent=2)


def json_line(variable: str, value: str) -> str:
    """A line of a structured log."""
    return json.dumps({"level": "debug", "msg": "loaded", variable.lower(): value, "took_ms": 12})


def toml(variable: str, value: str) -> str:
    """A key of a table."""
    shown = f'"""\n{value}\n"""' if "\n" in value else f"'{value}'"
    return f"[service]\nname = 'orders'\n{variable.lower()} = {shown}\nport = 8080\n"


def ini(variable: str, value: str) -> str:
    """A key of a section."""
    return f"[service]\nname = orders\n{variable.lower()} = {value}\nport = 8080\n"


def properties(variable: str, value: str) -> str:
    """A key with dots."""
    return f"spring.application.name=orders\napp.{variable.lower().replace('_', '.')}={value}\nserver.port=8080\n"


def terraform(variable: str, value: str) -> str:
    """An attribute of a resource."""
    return f'resource "service" "orders" {{\n  name = "orders"\n  {variable.lower()} = "{value}"\n}}\n'


def xml(variable: str, value: str) -> str:
    """An element."""
    tag = camel(variable)
    return f"<settings>\n  <port>8080</port>\n  <{tag}>{escape(value)}</{tag}>\n</settings>\n"


def log_line(variable: str, value: str) -> str:
    """What somebody printed once."""
    return f"2026-03-01T09:14:07Z DEBUG orders.boot {variable.lower()}={value} retries=3 host=10.0.0.7\n"


def query(variable: str, value: str) -> str:
    """A parameter of an address."""
    return f"GET https://api.orders.test/v1/items?page=2&{variable.lower()}={quote(value, safe='')}&sort=asc HTTP/1.1\n"


def header(variable: str, value: str) -> str:
    """A header of a request; a value that names its scheme is an ``Authorization``."""
    name = "Authorization" if value.startswith("Basic ") else f"X-{variable.title().replace('_', '-')}"
    return f"POST /v1/items HTTP/1.1\nHost: api.orders.test\n{name}: {value}\nAccept: */*\n"


def bearer(_variable: str, value: str) -> str:
    """A command that sends it."""
    return f"curl -sS -H 'Authorization: Bearer {value}' https://api.orders.test/v1/items\n"


def markdown(variable: str, value: str) -> str:
    """Notes for a colleague."""
    return f"## Setup\n\nAsk for access, or use the `{variable}` of staging: `{value}`\n\nThen run `make`.\n"


def comment(variable: str, value: str) -> str:
    """What was meant to be taken out."""
    return f"def connect():\n    # {variable.lower()} = '{value}'  (works on staging)\n    return pool()\n"


PLACES = (
    Place("Python, assigned", python_assignment, lines=True), Place("Python, cut in two", python_split),
    Place("Python, argument", python_call), Place("Python, dictionary", python_dict),
    Place("JavaScript", javascript), Place("JavaScript, sum", javascript_sum), Place("Go", go), Place("Java", java),
    Place("shell", shell, lines=True), Place(".env", env), Place(".env, quoted", env_quoted, lines=True),
    Place("Dockerfile", dockerfile), Place("compose, list", compose_list), Place("compose, mapping", compose_mapping),
    Place("Kubernetes", kubernetes), Place("YAML block", yaml_block, lines=True),
    Place("JSON", json_member, lines=True), Place("JSON log", json_line, lines=True), Place("TOML", toml, lines=True),
    Place("INI", ini), Place("properties", properties), Place("Terraform", terraform),
    Place("XML", xml, lines=True), Place("log", log_line), Place("query", query, chars=TOKEN68),
    Place("header", header), Place("authorization", bearer, chars=TOKEN68), Place("Markdown", markdown),
    Place("comment", comment),
)  # fmt: skip
