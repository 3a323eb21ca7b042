"""JavaScript: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
const fs = require("fs");
const { helper, other: another } = require("./util");
import Item, { Store as Shelf } from "../store.js";
export { open } from "./open.js";

/** The most. */
const LIMIT = 10;

/**
 * An order of one customer.
 */
export default class Order extends Base {
  static limit = 10;
  #items = [];

  constructor(clock) {
    super(clock);
    this.store = new Shelf();
  }

  /** Adds an item. */
  async add(item, ...rest) {
    this.check(item);
    check(item);
    super.save();
    this.store.push(item);
    helper(item);
    another();
    const box = new Item();
    box.open();
    item?.touch();
    Order.create();
    const twice = (n) => n * 2;
    return twice(1);
  }

  check(item) {}
  get size() { return this.#items.length; }
  handler = (event) => { this.check(event); };
  static create() { return new Order(); }
}

function check(item) {}
export const größe = async () => { await check(1); };
function* walk() { yield* inner(); }

const tools = {
  run() { check(2); },
  stop: function () {},
};

Order.prototype.extra = function () { return this.add(1); };
module.exports.exported = () => walk();
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("javascript", "src/shop/order.js", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
variable fs 1-1
constant LIMIT 6-7
class Order 9-41
field Order.limit 13-13
field Order.#items 14-14
method Order.constructor 16-19
method Order.add 21-35
function Order.add.twice 33-33
method Order.check 37-37
method Order.size 38-38
method Order.handler 39-39
method Order.create 40-40
function check 43-43
function größe 44-44
function walk 45-45
variable tools 47-50
method tools.run 48-48
function tools.stop 49-49
method Order.extra 52-52
function exported 53-53
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == "export default class Order extends Base"
    assert found.symbols["Order.add"].signature == "async add(item, ...rest)"
    assert found.symbols["größe"].signature == "export const größe = async () =>"
    assert found.symbols["walk"].signature == "function* walk()"
    assert found.symbols["Order.extra"].signature == "Order.prototype.extra = function ()"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer."
    assert found.symbols["Order.add"].doc == "Adds an item."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
require
require
Shelf
this check
check
super save
this.store push
helper
another
Item
box open
item touch
Order create
twice
this check
Order
check
inner
check
this add
walk
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Base
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
fs fs
./util helper
./util other another
../store.js default Item
../store.js Store Shelf
./open.js open
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
this.store: Shelf
box: Item
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports another util/shop/src// other",
        "Order.constructor calls Shelf store/src// Store",
        "Order.add calls check = Order.check",
        "Order.add calls check = check",
        "Order.add calls push store/src// Store.push",
        "Order.add calls another util/shop/src// other",
        "Order.create calls Order = Order",
        "Order.extra calls add = Order.add",
        "exported calls walk = walk",
    } <= set(found.edges.splitlines())
