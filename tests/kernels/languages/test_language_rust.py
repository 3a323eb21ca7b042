"""Rust: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
//! Sells.
use std::collections::HashMap;
use crate::ledger::{self, Entry, write as put};
use super::units::*;

mod helpers;

/// The most.
pub const LIMIT: usize = 10;
static NAME: &str = "x";

/// An order of one customer.
///
/// It keeps its items.
#[derive(Debug, Clone)]
pub struct Order<T: Item> {
    pub items: Vec<T>,
    store: Store,
}

pub enum Colour {
    Red,
    Green(u8),
    Blue { depth: u8 },
}

pub trait Shape: Thing + Send {
    const SIDES: usize;
    type Unit;
    fn area(&self) -> f64;
    fn describe(&self) -> String {
        format!("{}", self.area())
    }
}

impl<T: Item> Order<T> {
    /// Makes one.
    pub fn new(store: Store) -> Self {
        Self { items: Vec::new(), store }
    }

    /// Adds an item.
    #[inline]
    pub async fn add(&mut self, item: T, clock: Clock) -> Result<usize, Error> {
        self.check(&item)?;
        check(&item);
        self.store.push(item).await;
        let entry = Entry::new();
        entry.write();
        clock.tick();
        Self::count();
        helpers::verify::<T>(1);
        ledger::open("x");
        put(1);
        let größe = |n| n * 2;
        Ok(größe(1))
    }

    fn check(&self, item: &T) -> Result<(), Error> {
        Ok(())
    }

    fn count() -> usize { 0 }
}

impl<T: Item> fmt::Display for Order<T> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "order")
    }
}

fn check<T>(item: &T) {}

pub type Handler = fn(u8) -> u8;

macro_rules! square {
    ($x:expr) => { $x * $x };
}

mod inner {
    pub fn deep() { super::check(&1); }
}
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("rust", "src/shop/order.rs", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
constant LIMIT 8-9
constant NAME 10-10
struct Order 12-19
field Order.items 17-17
field Order.store 18-18
enum Colour 21-25
constant Colour.Red 22-22
constant Colour.Green 23-23
constant Colour.Blue 24-24
field Colour.Blue.depth 24-24
trait Shape 27-34
constant Shape.SIDES 28-28
type Shape.Unit 29-29
method Shape.area 30-30
method Shape.describe 31-33
method Order.new 37-40
method Order.add 42-57
method Order.check 59-61
method Order.count 63-63
method Order.fmt 67-69
function check 72-72
type Handler 74-74
macro square 76-78
module inner 80-82
function inner.deep 81-81
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == "pub struct Order<T: Item>"
    assert found.symbols["Order.add"].signature == (
        "pub async fn add(&mut self, item: T, clock: Clock) -> Result<usize, Error>"
    )
    assert found.symbols["Shape"].signature == "pub trait Shape: Thing + Send"
    assert found.symbols["Order.fmt"].signature == "fn fmt(&self, f: &mut Formatter) -> fmt::Result"
    assert found.symbols["square"].signature == "macro_rules! square"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["LIMIT"].doc == "The most."
    assert found.symbols["Order"].doc == "An order of one customer.\n\nIt keeps its items."
    assert found.symbols["Order.add"].doc == "Adds an item."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
format
Self
Vec new
self check
check
self.store push
Entry new
entry write
clock tick
Self count
helpers verify
ledger open
put
Ok
größe
Ok
write
super check
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Thing
Send
fmt Display
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
std::collections HashMap
crate::ledger
crate::ledger Entry
crate::ledger write put
super::units *
helpers
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
items: Vec<T>
store: Store
depth: u8
store: Store
item: T
clock: Clock
entry: Entry
item: &T
f: &mut Formatter
item: &T
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports put ledger/src// write",
        "Order.add calls check = Order.check",
        "Order.add calls check = check",
        "Order.add calls count = Order.count",
        "Order.add calls write ledger/src// Entry.write",
        "Order.add calls verify helpers/order/shop/src// verify",
        "Order.add calls put ledger/src// write",
    } <= set(found.edges.splitlines())
