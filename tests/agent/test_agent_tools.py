"""One definition gives schema, validation and function; what does not fit is told so that a model can mend it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from agent_tools import Scope
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct

from agentd.agent.arguments import MAX_BYTES, tool_hint
from agentd.agent.builtin import NAMES, library_tools, web_tools
from agentd.agent.contracts import ToolResult
from agentd.agent.schema import schema_of
from agentd.agent.tools import tool
from agentd.config.tool_names import OTHERWISE
from agentd.domain import Kind
from agentd.errors import ToolInputError
from agentd.retrieval.budget import estimate_tokens

EVERY: Any = (*library_tools(None), *web_tools(None))  # type: ignore[arg-type]  # no tool is run here


@pytest.mark.parametrize("word", ["search", "callers", "callees", "dependencies", "dependents", "complexity"])
def test_what_the_mcp_server_calls_otherwise_is_found_under_its_name_here(word: str) -> None:
    assert tool_hint(word, NAMES).startswith(f"did you mean {OTHERWISE[word]}? There are: semantic_search, ")
    assert OTHERWISE[word] not in tool_hint(word, ["other"])


def test_other_words_lead_to_tools_that_there_are() -> None:
    assert set(OTHERWISE.values()) <= set(NAMES)
    assert not set(OTHERWISE) & set(NAMES)


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    """Not for the model."""

    name: Annotated[str, Meta(description="A name")]


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """Not for the model."""

    query: Annotated[str, Meta(min_length=1, max_length=50, description="What")]
    limit: Annotated[int, Meta(ge=1, le=50, description="How many")] = 8
    title: Annotated[tuple[str, ...], Meta(description="Called as a keyword of schemas is")] = ()
    kind: Annotated[Kind | None, Meta(description="Which")] = None
    inner: Annotated[Inner | None, Meta(description="Deeper")] = None


@tool(Asked, "Echoes.")
async def echo(asked: Asked, _scope: object) -> ToolResult:
    return ToolResult(text=asked.query, found=asked.limit)


def problem(arguments: str) -> str:
    with pytest.raises(ToolInputError) as raised:
        echo.parse(arguments)
    assert raised.value.retry
    return raised.value.message


def test_a_schema_is_whole_and_says_nothing_twice() -> None:
    assert echo.schema == {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 8, "description": "How many"},
            "title": {"type": "array", "items": {"type": "string"}, "description": "Called as a keyword of schemas is"},
            "kind": {"type": "string", "enum": ["code", "data", "docs"], "description": "Which"},
            "inner": {
                "type": "object",
                "properties": {"name": {"type": "string", "description": "A name"}},
                "required": ["name"],
                "additionalProperties": False,
                "description": "Deeper",
            },
        },
        "required": ["query"],
        "additionalProperties": False,
    }


class Endless(Struct):
    """Holds itself."""

    deeper: Annotated[Endless | None, Meta(description="The same")] = None


class Unsaid(Struct):
    """Lacks a description."""

    what: str


@pytest.mark.parametrize(("kind", "problem"), [(Endless, "hold themselves"), (Unsaid, "what of Unsaid")])
def test_parameters_without_a_plain_schema_are_refused_where_they_are_defined(kind: type[Struct], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        schema_of(kind)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_every_built_in_tool_has_a_valid_schema_without_references(each: Any) -> None:
    Draft202012Validator.check_schema(each.schema)
    text = json.dumps(each.schema)
    assert "$" not in text
    assert each.schema["additionalProperties"] is False
    assert all(about["description"] for about in each.schema["properties"].values())
    assert each.description.endswith(".")


def test_the_built_in_tools_cost_few_tokens_in_each_turn() -> None:
    assert tuple(each.name for each in EVERY) == NAMES
    assert sum(estimate_tokens(each.name + each.description + json.dumps(each.schema)) for each in EVERY) < 1400


async def test_a_tool_runs_with_its_defaults() -> None:
    found = await echo.run(echo.parse('{"query": "x"}'), Scope())
    assert (found.text, found.found) == ("x", 8)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ('{"query": "x", "limit": "7"}', Asked("x", 7)),
        ('{"query": "x", "limit": 7.0}', Asked("x", 7)),
        ('{"query": "x", "limit": null, "kind": null}', Asked("x")),
        ('{"query": "x", "title": "one"}', Asked("x", title=("one",))),
        (' \n{"query": "x", "kind": "docs"}\n', Asked("x", kind=Kind.DOCS)),
        ('{"query": "a\ud800"}', Asked("a?")),
    ],
)
def test_what_is_harmless_passes(arguments: str, asked: Asked) -> None:
    assert echo.parse(arguments) == asked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "the parameter `query` is missing"),
        ('{"query": "x", "limit": 70}', "parameter `limit`: expected int <= 50, found 70"),
        ('{"query": 5}', "parameter `query`: expected str, found 5"),
        ('{"query": ""}', 'parameter `query`: expected str of length >= 1, found ""'),
        ('{"query": "x", "title": ["a", 3]}', "parameter `title`: expected str, found 3"),
        ('{"query": "x", "kind": "prose"}', 'parameter `kind`: expected one of code, data, docs, found "prose"'),
        ('{"query": "x", "limits": 7}', 'there is no parameter "limits"; did you mean limit? There are: query, limit'),
        ('{"query": "x", "inner": {"name": 1}}', "parameter `inner`: expected str, found 1"),
        ('["query"]', 'expected a JSON object, found ["query"]'),
        ('"query"', 'expected a JSON object, found "query"'),
        ('{"query": "x" "limit": 7}', 'at character 15, here: {"query": "x"  >>> "limit": 7}'),
        ('{"query": "ünd" x}', "at character 17, here:"),
        ('{"query": "x', 'it ends with …{"query": "x'),
        ("{'query': 'x'}", "the arguments are no JSON"),
        ('{"query": "\ud800" x}', 'here: {"query": "?"  >>> x}'),
        ("[" * 5000, "at most 32 levels"),
        ('{"query": ' + "[" * 40 + "]" * 40 + "}", "at most 32 levels"),
        ('{"query": "' + "x" * MAX_BYTES + '"}', "at most 65,536 bytes"),
        ("1" * 6000, "out of range"),
    ],
    ids=lambda value: value[:30].encode(errors="replace").decode(),
)  # fmt: skip
def test_what_does_not_fit_is_told_with_place_expectation_and_finding(arguments: str, said: str) -> None:
    message = problem(arguments)
    assert said in message
    assert len(message) < 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
NAMED = st.dictionaries(st.sampled_from(["query", "limit", "title", "kind", "inner", "other"]), JSON, max_size=5)


@given(NAMED.map(json.dumps) | JSON.map(json.dumps) | st.text(max_size=60))
def test_whatever_a_model_writes_is_parsed_or_refused_in_words(arguments: str) -> None:
    parsed = parsed_or_refused(arguments)
    if isinstance(parsed, str):
        assert 0 < len(parsed) < 500
    else:
        assert 1 <= parsed.limit <= 50
        assert 1 <= len(parsed.query) <= 50


def parsed_or_refused(arguments: str) -> Asked | str:
    try:
        parsed = echo.parse(arguments)
    except ToolInputError as error:
        return error.message
    assert isinstance(parsed, Asked)
    return parsed


FITTING = st.fixed_dictionaries(
    {"query": st.text(min_size=1, max_size=50)},
    optional={
        "limit": st.integers(1, 50),
        "title": st.lists(st.text(max_size=5), max_size=3),
        "kind": st.sampled_from(["code", "docs", "data"]),
    },
)


@given(FITTING)
def test_what_fits_the_schema_that_a_model_was_shown_is_taken(arguments: dict[str, Any]) -> None:
    Draft202012Validator(echo.schema).validate(arguments)
    assert isinstance(echo.parse(json.dumps(arguments)), Asked)
