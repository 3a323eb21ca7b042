"""Which grammar parses a language, and which of its nodes are definitions. Tables, and nothing that walks a tree.

Node types are those of the grammars' ``node-types.json``. A definition's name is the text of the field given, followed
down through the declarators of C. Grammars are loaded on first use: a worker that reads only prose loads none.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Language

if TYPE_CHECKING:
    from collections.abc import Mapping


class Grammar(NamedTuple):
    """How to load a grammar and what defines a name in it.

    ``definitions`` maps a node type to the field that holds its name. ``bound`` maps a node type that defines only
    where a function or class is its value to the fields of name and value. ``wrappers`` are nodes whose definition is
    a named child: decorators, exports, templates.
    """

    module: str
    function: str
    definitions: Mapping[str, str]
    bound: Mapping[str, tuple[str, str]] = MappingProxyType({})
    wrappers: frozenset[str] = frozenset()


def _names(types: str, **fields: str) -> dict[str, str]:
    return dict.fromkeys(types.split(), "name") | fields


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ECMA_BOUND = {
    "variable_declarator": ("name", "value"),
    "assignment_expression": ("left", "right"),
    "pair": ("key", "value"),
}
_JAVASCRIPT_BOUND = _ECMA_BOUND | {"field_definition": ("property", "value")}
_TYPESCRIPT_BOUND = _ECMA_BOUND | {"public_field_definition": ("name", "value")}
_ECMA_WRAPPERS = _words("export_statement lexical_declaration variable_declaration expression_statement")
_ECMA = "function_declaration generator_function_declaration class_declaration method_definition"
_TYPESCRIPT = _ECMA + (
    " abstract_class_declaration interface_declaration type_alias_declaration enum_declaration internal_module module"
    " function_signature abstract_method_signature"
)
_C = {"function_definition": "declarator", "type_definition": "declarator"} | _names(
    "struct_specifier union_specifier enum_specifier preproc_function_def"
)

GRAMMARS = {
    "bash": Grammar("tree_sitter_bash", "language", _names("function_definition")),
    "c": Grammar("tree_sitter_c", "language", _C),
    "cpp": Grammar(
        "tree_sitter_cpp",
        "language",
        _C | _names("class_specifier namespace_definition concept_definition alias_declaration"),
        wrappers=frozenset({"template_declaration"}),
    ),
    "csharp": Grammar(
        "tree_sitter_c_sharp",
        "language",
        _names(
            "namespace_declaration class_declaration interface_declaration struct_declaration enum_declaration"
            " record_declaration delegate_declaration method_declaration constructor_declaration"
            " destructor_declaration property_declaration local_function_statement"
        ),
    ),
    "go": Grammar(
        "tree_sitter_go",
        "language",
        _names("function_declaration method_declaration type_spec type_alias"),
        wrappers=frozenset({"type_declaration"}),
    ),
    "java": Grammar(
        "tree_sitter_java",
        "language",
        _names(
            "class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration"
            " method_declaration constructor_declaration compact_constructor_declaration"
        ),
    ),
    "javascript": Grammar("tree_sitter_javascript", "language", _names(_ECMA), _JAVASCRIPT_BOUND, _ECMA_WRAPPERS),
    "kotlin": Grammar(
        "tree_sitter_kotlin",
        "language",
        _names("class_declaration object_declaration companion_object function_declaration type_alias"),
    ),
    "lua": Grammar(
        "tree_sitter_lua",
        "language",
        _names("function_declaration"),
    ),
    "php": Grammar(
        "tree_sitter_php",
        "language_php",
        _names(
            "class_declaration interface_declaration trait_declaration enum_declaration function_definition"
            " method_declaration"
        ),
    ),
    "python": Grammar(
        "tree_sitter_python",
        "language",
        _names("class_definition function_definition"),
        wrappers=frozenset({"decorated_definition"}),
    ),
    "ruby": Grammar("tree_sitter_ruby", "language", _names("module class method singleton_method")),
    "rust": Grammar(
        "tree_sitter_rust",
        "language",
        _names(
            "function_item function_signature_item struct_item enum_item union_item trait_item mod_item type_item"
            " macro_definition",
            impl_item="type",
        ),
    ),
    "scala": Grammar(
        "tree_sitter_scala",
        "language",
        _names(
            "object_definition class_definition trait_definition enum_definition function_definition"
            " function_declaration type_definition"
        ),
    ),
    "swift": Grammar(
        "tree_sitter_swift",
        "language",
        _names(
            "class_declaration protocol_declaration function_declaration protocol_function_declaration"
            " typealias_declaration init_declaration"
        ),
    ),
    "tsx": Grammar("tree_sitter_typescript", "language_tsx", _names(_TYPESCRIPT), _TYPESCRIPT_BOUND, _ECMA_WRAPPERS),
    "typescript": Grammar(
        "tree_sitter_typescript",
        "language_typescript",
        _names(_TYPESCRIPT),
        _TYPESCRIPT_BOUND,
        _ECMA_WRAPPERS | {"ambient_declaration"},
    ),
}

FUNCTION_VALUES = _words("arrow_function function_expression generator_function class function_definition object")
"""Values that make a name a definition, as in ``const parse = () => {}``; ``module.exports = {...}`` is one, too."""

BODIES = _words(
    "block body_statement class_body compound_statement constructor_body declaration_list do_block enum_body"
    " enum_class_body enum_declaration_list enum_member_declaration_list enum_variant_list enumerator_list"
    " field_declaration_list function_body interface_body protocol_body statement_block statements"
    " template_body"
)
"""Nodes that only hold the parts of the node above: their children stand beside its head."""

LEADS = _words(
    "annotation attribute_item attribute_list block_comment comment decorator doc_comment inner_attribute_item"
    " line_comment multiline_comment"
)
"""Nodes that belong to the one right below them."""


@cache
def load(language: str) -> Language:
    """The compiled grammar of a language in ``GRAMMARS``."""
    grammar = GRAMMARS[language]
    pointer = getattr(import_module(grammar.module), grammar.function)()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # some wheels hand over a plain int, not a capsule
        return Language(pointer)
