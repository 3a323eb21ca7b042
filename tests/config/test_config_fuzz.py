"""Whatever configuration is found, it is settings or an error in a sentence, and never anything else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentd.config.flags import Flags
from agentd.config.load import load
from agentd.config.render import render
from agentd.config.schema import FIELDS, SECTIONS
from agentd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EXAMPLES = settings(max_examples=150, deadline=1000)

SCALARS = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(max_size=20)
    | st.sampled_from([0, -1, 1, 2**63, 2**64, 1e308, "", "~", "~/x", "\0", "/", "..", "a" * 5000])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
)
NAMES = st.sampled_from([field.name for field in FIELDS.values()]) | st.text(max_size=8)
TABLES = st.dictionaries(
    st.sampled_from([*SECTIONS, "root", "socket"]) | st.text(max_size=8),
    st.dictionaries(NAMES, VALUES, max_size=4)
    | VALUES
    | st.lists(st.dictionaries(st.just("path") | NAMES, VALUES, max_size=2), max_size=3),
    max_size=4,
)


def toml(value: object) -> str:
    """A value in TOML, its tables inline; what TOML cannot say is said all the same."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return "nan" if math.isnan(value) else repr(value)
        case str():
            return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value) + '"'
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(each)}" for key, each in value.items()) + "}"
        case _:
            return str(value)


def loads(path: Path, content: bytes, environ: dict[str, str] | None = None) -> None:
    """There are settings, which can be shown, or an error says what is wrong, in what fits a terminal."""
    path.write_bytes(content)
    try:
        shown = render(load(Flags(config=str(path)), {"HOME": str(path.parent)} | (environ or {})))
        longest = len(shown)
    except ConfigError as error:
        shown, longest = error.message, 2000
    assert 10 < len(shown) <= longest


@EXAMPLES
@given(tables=TABLES)
def test_any_tables_give_settings_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, tables: dict[str, Any]
) -> None:
    text = "\n".join(f"{toml(name)} = {toml(table)}" for name, table in tables.items())
    loads(tmp_path_factory.getbasetemp() / "any.toml", text.encode("utf-8", "surrogatepass"))


@EXAMPLES
@given(content=st.binary(max_size=300) | st.text(alphabet="[]=.\"'\n#{},_ae1-:T", max_size=300).map(str.encode))
def test_any_bytes_give_settings_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    loads(tmp_path_factory.getbasetemp() / "bytes.toml", content)


@EXAMPLES
@given(
    values=st.dictionaries(
        st.sampled_from([field.variable for field in FIELDS.values()])
        | st.sampled_from(
            ["AGENTD_SOCKET", "AGENTD_STATE_DIR", "XDG_STATE_HOME", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"]
        )
        | st.text(alphabet="ABC_", max_size=6).map(lambda name: f"AGENTD_{name}"),
        st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"), max_size=30)
        | st.sampled_from(["1e999", "-0", "nan", "inf", "0x10", "1_000", " 1 ", "true", "TRUE", "[]", "9" * 5000]),
        max_size=4,
    )
)
def test_any_environment_gives_settings_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]
) -> None:
    loads(tmp_path_factory.getbasetemp() / "empty.toml", b"", values)


def test_deep_and_long_files_give_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "agentd.toml"
    for content in (
        b"a = " + b"[" * 100_000,
        b"a = " + b"{a=" * 50_000,
        b"[" + b"a." * 10_000 + b"a]",
        b"a." * 10_000 + b"a = 1",
        b'a = "' + b"x" * 900_000,
        b"a = 1" + b"0" * 900_000,
        b"[[root]]\n" * 100_000,
        b"\n" * 1_000_000,
        b"#" * 2_000_000,
    ):
        loads(path, content)
