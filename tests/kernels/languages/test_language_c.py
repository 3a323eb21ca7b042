"""C: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
/* Sells. */
#include <stdio.h>
#include "order.h"
#include "lib/ledger.h"

#define LIMIT 10
#define SQUARE(x) ((x) * (x))

/* A callback. */
typedef int (*handler)(int);

/** An order of one customer. */
struct order {
    int id;
    struct store *store;
    char name[LIMIT];
};

typedef struct {
    double x, y;
} point;

enum colour { RED, GREEN = 2 };

static int counter = 0;
const char *names[] = {"a", "b"};

static void check(struct order *order, int item);

/* Adds an item. */
int order_add(struct order *order, int item)
{
    check(order, item);
    order->store->push(item);
    ledger_write(item);
    handler callback = twice;
    callback(1);
    printf("%d", SQUARE(item));
    return 1;
}

static void check(struct order *order, int item) {}

struct order *order_new(void) { return malloc(sizeof(struct order)); }
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("c", "src/order.c", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
constant LIMIT 6-6
macro SQUARE 7-7
type handler 9-10
struct order 12-17
field order.id 14-14
field order.store 15-15
field order.name 16-16
type point 19-21
field point.x 20-20
field point.y 20-20
enum colour 23-23
constant colour.RED 23-23
constant colour.GREEN 23-23
variable counter 25-25
variable names 26-26
function order_add 30-40
function check 42-42
function order_new 44-44
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["order"].signature == "struct order"
    assert found.symbols["order_add"].signature == "int order_add(struct order *order, int item)"
    assert found.symbols["order_new"].signature == "struct order *order_new(void)"
    assert found.symbols["handler"].signature == "typedef int (*handler)(int)"
    assert found.symbols["SQUARE"].signature == "#define SQUARE(x)"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["order"].doc == "An order of one customer."
    assert found.symbols["order_add"].doc == "Adds an item."
    assert found.symbols["handler"].doc == "A callback."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
check
order->store push
ledger_write
callback
printf
SQUARE
malloc
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
<stdio.h> *
order.h *
lib/ledger.h *
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
id: int
store: struct store
x: double
y: double
counter: int
order: struct order
item: int
order: struct order
item: int
callback: handler
order: struct order
item: int
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports * ledger/lib/",
        "order_add calls check = check",
        "order_add calls SQUARE = SQUARE",
        "order_add calls ledger_write",
    } <= set(found.edges.splitlines())
