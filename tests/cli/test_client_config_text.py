"""Configuration of MCP clients as text: an entry goes in and out, and everything else stays, byte for byte."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentd.cli.mcp_clients import json_text, toml_text
from agentd.cli.mcp_clients.formats import value_at, without
from agentd.cli.mcp_clients.receipts import splice, undone

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from agentd.cli.mcp_clients.formats import Format

KEYS = ("mcpServers", "agentd")
TABLE = ("mcp_servers", "agentd")
ENTRY = {"type": "stdio", "command": "/opt/agentd/bin/agentctl", "args": ["mcp", "--add"]}
OTHER = {"command": "npx", "args": ["-y", "thing"]}

names = st.text(st.sampled_from('ab"\\{}[],:/*# é\n\t'), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
spaces = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", ' // {it} "is"\n', "/* [a, */", "\n  // one\n  /* two */ "])


def laid_out(draw: st.DrawFn, value: object) -> str:
    """A value as JSON with any white space, comments and trailing commas."""

    def space() -> str:
        return draw(spaces)

    if not isinstance(value, dict | list) or not value:
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, list):
        parts = [f"{space()}{laid_out(draw, each)}{space()}" for each in value]
    else:
        parts = [
            f"{space()}{json.dumps(key)}{space()}:{space()}{laid_out(draw, each)}{space()}"
            for key, each in value.items()
        ]
    tail = draw(st.sampled_from(["", f",{space()}"]))
    return ("[%s%s]" if isinstance(value, list) else "{%s%s}") % (",".join(parts), tail)


@st.composite
def json_configurations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A configuration in JSON as a person may have written it, and what it says."""
    document: dict[str, Any] = draw(st.dictionaries(names, values, max_size=3))
    servers = st.dictionaries(names, values, max_size=2) | st.just({"thing": OTHER})
    if draw(st.booleans()):
        document["mcpServers"] = draw(servers)
        if draw(st.booleans()):
            document["mcpServers"]["agentd"] = draw(st.just(OTHER) | st.just({"url": "http://x"}) | values)
    order = draw(st.permutations(list(document)))
    document = {key: document[key] for key in order}
    return f"{draw(spaces)}{laid_out(draw, document)}{draw(spaces)}", document


def toml_lines() -> SearchStrategy[str]:
    """Things that may stand in a table, some made to look like what they are not."""
    return st.sampled_from([
        "# [mcp_servers.agentd]\n", "\n", "  \n", "# plain\n", "{k} = 1\n", '{k} = "[x]" # why\n',
        "{k} = [\n  1, # one\n]\n", '{k} = """\n[mcp_servers.agentd]\ncommand = 1\n"""\n',
        "{k}.deep = true\n", "{k} = {{ a = [1], b = '}}' }}\n",
    ])  # fmt: skip


@st.composite
def toml_configurations(draw: st.DrawFn) -> str:
    """A configuration in TOML; whether a table of ours is there, and where, differs."""
    heads = [
        "[model]\n",
        "[[tools]]\n",
        "[mcp_servers.thing]\n",
        "[ mcp_servers . 'other' ] # so\n",
        "[mcp_servers.thing.env]\n",
    ]
    ours = ["[mcp_servers.agentd]\n", '[mcp_servers."agentd"]\ncommand = "old"\n', "[mcp_servers.agentd]\nurl = 'x'\n"]
    count = 0
    text = ""
    chosen = draw(st.lists(st.sampled_from(heads), unique=True, max_size=4))
    if draw(st.booleans()):
        chosen.insert(draw(st.integers(0, len(chosen))), draw(st.sampled_from(ours)))
        if draw(st.booleans()):
            chosen.append("[mcp_servers.agentd.tools.search]\napproval_mode = 'approve'\n")
    for head in ["", *chosen]:
        text += head
        for line in draw(st.lists(toml_lines(), max_size=3)):
            count += 1
            text += line.format(k=f"k{count}")
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    return text.removesuffix("\n").removesuffix("\r") if draw(st.booleans()) else text


@given(json_configurations())
def test_json_of_any_layout_is_read(made: tuple[str, dict[str, Any]]) -> None:
    text, document = made
    assert json_text.load(text) == document
    assert len(json_text.plain(text)) == len(text)


@given(json_configurations())
def test_an_entry_goes_into_json_and_out_again(made: tuple[str, dict[str, Any]]) -> None:
    goes_in_and_out(json_text, made[0], KEYS)


@given(toml_configurations())
def test_an_entry_goes_into_toml_and_out_again(text: str) -> None:
    assert "".join(statement.text for statement in toml_text.statements(text)) == text
    goes_in_and_out(toml_text, text, TABLE)


def goes_in_and_out(format_: Format, text: str, keys: tuple[str, ...]) -> None:
    before = format_.load(text)
    put = format_.put(text, keys, ENTRY)
    entry = value_at(format_.load(put), keys)
    assert isinstance(entry, dict)
    assert entry.items() >= ENTRY.items()
    assert without(format_.load(put), keys) == without(before, keys)
    assert format_.put(put, keys, ENTRY) == put
    if put != text:
        assert undone(put, [splice(text, put)]) == text
    removed = format_.remove(put, keys)
    assert value_at(format_.load(removed), keys) is None
    assert without(format_.load(removed), keys) == without(before, keys)
    assert all(
        comment in removed for comment in ("// one", "/* two */", "# plain") if comment in outside(text, format_)
    )


def outside(text: str, format_: Format) -> str:
    """What stands outside of the entry, where it is not there yet; else nothing that has to stay."""
    keys = KEYS if format_ is json_text else TABLE
    return text if value_at(format_.load(text), keys) is None else ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '{\n  "mcpServers": {\n    "agentd": 1\n  }\n}\n'),
        ("{}", '{\n  "mcpServers": {\n    "agentd": 1\n  }\n}'),
        ('{"mcpServers": {}}', '{"mcpServers": {"agentd": 1}}'),
        ('{"mcpServers":{"a":2}}', '{"mcpServers":{"agentd": 1, "a":2}}'),
        ('{ "a": 2 }', '{ "mcpServers": {"agentd": 1}, "a": 2 }'),
        (
            '{\n\t"mcpServers": { // mine\n\t\t"a": 2, // two\n\t},\n}\n',
            '{\n\t"mcpServers": { // mine\n\t\t"agentd": 1,\n\t\t"a": 2, // two\n\t},\n}\n',
        ),
        (
            '{\n    "mcpServers": {\n        // none yet\n    }\n}',
            '{\n    "mcpServers": {\n        "agentd": 1\n        // none yet\n    }\n}',
        ),
        ('{\r\n  "a": 2\r\n}', '{\r\n  "mcpServers": {\r\n    "agentd": 1\r\n  },\r\n  "a": 2\r\n}'),
    ],
)
def test_a_new_entry_is_laid_out_as_the_file_is(before: str, after: str) -> None:
    assert json_text.put_value(before or "{}\n", KEYS, 1) == after


def test_what_an_entry_of_a_command_says_beyond_ours_stays() -> None:
    text = '{"mcpServers": {"agentd": {"command": "old", "env": {"A": "b"} /* mine */}}}'
    put = json_text.put(text, KEYS, ENTRY)
    assert json_text.load(put)["mcpServers"]["agentd"] == {**ENTRY, "env": {"A": "b"}}
    assert "/* mine */" in put
    table = '[mcp_servers.agentd]\ncommand = "old"\nstartup_timeout_sec = 5 # slow disk\n'
    there = tomllib.loads(toml_text.put(table, TABLE, ENTRY))["mcp_servers"]["agentd"]
    assert there == {**ENTRY, "startup_timeout_sec": 5}


def test_an_entry_with_an_address_is_replaced_whole() -> None:
    assert json_text.load(json_text.put('{"mcpServers": {"agentd": {"url": "x"}}}', KEYS, ENTRY)) == {
        "mcpServers": {"agentd": ENTRY}
    }
    assert tomllib.loads(toml_text.put('[mcp_servers.agentd]\nurl = "x"\n', TABLE, ENTRY)) == {
        "mcp_servers": {"agentd": ENTRY}
    }


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1} x', '{"a" 1}', "/* open", '{"a": "open}', "[" * 100_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json_text.load(text)


def test_something_else_in_the_place_of_the_section_is_refused() -> None:
    with pytest.raises(ValueError, match='expected an object in braces at "mcpServers", found null'):
        json_text.put('{"mcpServers": null}', KEYS, ENTRY)


def test_a_byte_order_mark_stays() -> None:
    put = json_text.put('\ufeff{"a": 1}', KEYS, ENTRY)
    assert put.startswith("\ufeff{")
    assert json_text.load(put) == {"a": 1, "mcpServers": {"agentd": ENTRY}}
