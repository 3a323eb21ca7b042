"""Go: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
// Package shop sells.
package shop

import (
	"context"
	"fmt"

	ledger "example.com/acme/app/internal/ledger"
	. "example.com/acme/app/internal/units"
)

// Limit is the most.
const Limit = 10

var (
	cache, Größe = map[string]int{}, 2
)

// Order of one customer.
type Order[T any] struct {
	Entity
	*ledger.Entry
	Items []T
	store *Store
}

// Shape has an area.
type Shape interface {
	fmt.Stringer
	Area() float64
}

type Handler func(ctx context.Context) error

// Add adds an item.
func (o *Order[T]) Add(ctx context.Context, item T, rest ...int) (int, error) {
	o.check(item)
	check(item)
	o.store.Push(item)
	entry := ledger.NewEntry(ctx)
	entry.Write()
	box := &Box{}
	box.Open()
	parts := Parts{1}
	parts.Sort()
	fmt.Println(item)
	twice := func(n int) int { return n * 2 }
	defer o.store.Close()
	go Map[int, string](item)
	return twice(1), nil
}

func (o Order[T]) check(item T) {}

func check[T any](item T) {}

func New(store *Store) *Order[int] {
	return &Order[int]{store: store}
}
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("go", "internal/shop/order.go", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
constant Limit 12-13
variable cache 16-16
variable Größe 16-16
struct Order 19-25
field Order.Items 23-23
field Order.store 24-24
interface Shape 27-31
method Shape.Area 30-30
type Handler 33-33
method Order.Add 35-51
method Order.check 53-53
function check 55-55
function New 57-59
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == "type Order[T any] struct"
    assert found.symbols["Order.Add"].signature == (
        "func (o *Order[T]) Add(ctx context.Context, item T, rest ...int) (int, error)"
    )
    assert found.symbols["Shape"].signature == "type Shape interface"
    assert found.symbols["New"].signature == "func New(store *Store) *Order[int]"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Limit"].doc == "Limit is the most."
    assert found.symbols["Order"].doc == "Order of one customer."
    assert found.symbols["Order.Add"].doc == "Add adds an item."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
o check
check
o.store Push
ledger NewEntry
entry Write
Box
box Open
Parts
parts Sort
fmt Println
o.store Close
twice
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Entity
ledger Entry
fmt Stringer
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
context
fmt
example.com/acme/app/internal/ledger ledger
example.com/acme/app/internal/units *
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
Items: []T
store: *Store
ctx: context.Context
o: *Order[T]
ctx: context.Context
item: T
box: Box
parts: Parts
n: int
o: Order[T]
item: T
item: T
store: *Store
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports ledger ledger/internal/",
        "Order inherits Entry ledger/internal/ Entry",
        "Order.Add calls check = Order.check",
        "Order.Add calls check = check",
        "Order.Add calls NewEntry ledger/internal/ NewEntry",
        "Order.Add calls Push shop/internal// Store.Push",
        "Order.Add calls Sort shop/internal// Parts.Sort",
    } <= set(found.edges.splitlines())
