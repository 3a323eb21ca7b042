"""The name that a node defines, and the head that a reader sees of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentd.kernels.grammars import FUNCTION_VALUES, Grammar

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_LABEL = 100
"""Characters of a scope's head; a generated signature can be any length."""

MAX_NAME = 200

_RECEIVER = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)\s*$")


class Definition(NamedTuple):
    """``name`` as it is qualified below its scope, ``label`` its head up to the name: ``async def fetch``."""

    name: str
    label: str


def define(grammar: Grammar, node: Node, data: bytes) -> Definition | None:
    """What ``node`` defines, or None. Wrappers (decorators, exports, templates) define what they hold."""
    outer, node = node, unwrap(grammar, node)[-1]
    kind = node.type
    if (field := grammar.definitions.get(kind)) is not None:
        named = node.child_by_field_name(field)
    elif (bound := grammar.bound.get(kind)) is not None:
        value = node.child_by_field_name(bound[1])
        named = node.child_by_field_name(bound[0]) if value is not None and value.type in FUNCTION_VALUES else None
    else:
        return None
    if named is None:
        return None
    named = _declared(named)
    name = _text(data[named.start_byte : named.end_byte])[:MAX_NAME].replace("::", ".").replace(":", ".")
    if kind == "impl_item":
        name = name.partition("<")[0]  # methods of Store<T> are found as Store.fetch
    if receiver := _receiver(node, data):
        name = f"{receiver}.{name}"
    line = data.rfind(b"\n", 0, named.start_byte) + 1
    return Definition(name, _text(data[max(line, outer.start_byte) : named.end_byte])[-MAX_LABEL:])


def unwrap(grammar: Grammar, node: Node) -> list[Node]:
    """``node`` and, where it is a wrapper, what it wraps, down to the definition."""
    chain = [node]
    while chain[-1].type in grammar.wrappers:
        inner = next((child for child in chain[-1].named_children if _may_define(grammar, child.type)), None)
        if inner is None:
            break
        chain.append(inner)
    return chain


def _may_define(grammar: Grammar, kind: str) -> bool:
    return kind in grammar.definitions or kind in grammar.bound or kind in grammar.wrappers


def _declared(node: Node) -> Node:
    """The identifier inside the declarators of C and C++: ``int *(*f)(void)``."""
    while node.type.endswith("declarator") and node.named_child_count:
        inner = node.child_by_field_name("declarator") or node.named_children[-1]
        node = inner
    return node


def _receiver(node: Node, data: bytes) -> str:
    """The type that a Go method belongs to."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None:
        return ""
    match = _RECEIVER.search(_text(data[receiver.start_byte : receiver.end_byte]))
    return match[1] if match else ""


def _text(data: bytes) -> str:
    return " ".join(data.decode(errors="replace").split())
