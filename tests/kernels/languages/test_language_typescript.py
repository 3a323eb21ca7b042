"""TypeScript: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
import fs from "node:fs";
import * as util from "./util";
import { Item, Store as Shelf } from "../store";
import type { Clock } from "./clock";
export * from "./colours";
export { open } from "./open";

/** The most. */
export const LIMIT = 10;
let größe = 2;

/**
 * An order of one customer.
 */
@sealed
export abstract class Order<T extends Item> extends Base<T> implements Comparable<T>, ledger.Entry {
  static readonly limit = 10;
  private items: T[] = [];
  #secret = 1;
  store: Shelf;

  constructor(private readonly audit: Audit, clock: Clock) {
    super(audit);
    this.store = new Shelf();
  }

  /** Adds an item. */
  @logged()
  async add<K>(item: T, ...rest: number[]): Promise<number> {
    this.check(item);
    check(item);
    super.save();
    this.store.push(item);
    this.audit.write(item);
    const parts: Parts = split(item);
    parts.sort();
    const box = new tools.Box<number>(2);
    box.open();
    item?.touch();
    util.helper(item);
    Order.create();
    const twice = (n: number) => n * 2;
    return twice(1);
  }

  private check(item: T): void {}
  get size(): number { return this.items.length; }
  handler = (event: Event) => { this.check(event); };
  abstract total(): number;
  static create(): Order<Item> { return null; }
}

export interface Shape extends Thing, Named<number> {
  sides: number;
  area(): number;
}

export type Keys = keyof Order<Item>;
export enum Colour { Red, Green = 2 }

namespace Tools {
  export function helper(): void { check(1); }
}

/** Checks. */
export function check(item: unknown): asserts item is Item {}
export default function* walk(): Generator<number> { yield* inner(); }
declare function external(x: number): void;
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("typescript", "src/shop/order.ts", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
constant LIMIT 8-9
variable größe 10-10
class Order 12-51
field Order.limit 17-17
field Order.items 18-18
field Order.#secret 19-19
field Order.store 20-20
method Order.constructor 22-25
method Order.add 27-44
function Order.add.twice 42-42
method Order.check 46-46
method Order.size 47-47
method Order.handler 48-48
method Order.total 49-49
method Order.create 50-50
interface Shape 53-56
field Shape.sides 54-54
method Shape.area 55-55
type Keys 58-58
enum Colour 59-59
constant Colour.Red 59-59
constant Colour.Green 59-59
module Tools 61-63
function Tools.helper 62-62
function check 65-66
function walk 67-67
function external 68-68
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == (
        "export abstract class Order<T extends Item> extends Base<T> implements Comparable<T>, ledger.Entry"
    )
    assert found.symbols["Order.add"].signature == "async add<K>(item: T, ...rest: number[]): Promise<number>"
    assert found.symbols["Order.handler"].signature == "handler = (event: Event) =>"
    assert found.symbols["check"].signature == "export function check(item: unknown): asserts item is Item"
    assert found.symbols["walk"].signature == "export default function* walk(): Generator<number>"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer."
    assert found.symbols["Order.add"].doc == "Adds an item."
    assert found.symbols["LIMIT"].doc == "The most."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
sealed
Shelf
logged
this check
check
super save
this.store push
this.audit write
split
parts sort
tools Box
box open
item touch
util helper
Order create
twice
this check
check
inner
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Base
Comparable
ledger Entry
Thing
Named
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
node:fs default fs
./util util
../store Item
../store Store Shelf
./clock Clock
./colours *
./open open
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
items: T[]
store: Shelf
audit: Audit
clock: Clock
this.store: Shelf
item: T
parts: Parts
box: tools.Box
n: number
item: T
event: Event
item: unknown
x: number
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports Shelf store/src// Store",
        "- imports * colours/shop/src//",
        "Order.add calls check = Order.check",
        "Order.add calls check = check",
        "Order.add calls save ^ Order save",
        "Order.add calls push store/src// Store.push",
        "Order.add calls helper util/shop/src// helper",
        "Order.add calls create = Order.create",
        "Tools.helper calls check = check",
    } <= set(found.edges.splitlines())
