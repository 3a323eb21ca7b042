"""Scala: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
package com.shop
package orders

import com.shop.items.Item
import com.shop.util._
import com.shop.{Store, Helper => Aid}

/** An order of one customer. */
@deprecated
abstract class Order[T <: Any](val id: Int, store: Store)(implicit clock: Clock)
    extends Entity(id) with Comparable[Order[T]] with ledger.Entry {
  type Lines = Map[Int, T]
  val items: List[Item] = Nil
  private var audit = new Audit(3)

  def this(id: Int) = this(id, null)

  /** Adds an item.
    *
    * It is checked before.
    */
  override def add[K](item: Item, rest: Int*): Int = {
    check(item)
    this.check(item)
    super.save()
    store.queue.push(item)
    audit.write(item)
    items.map(_.go())
    Order.create[Int](1)
    val parts: Parts = split(item)
    parts.sort()
    val box = new tools.Box[Int](2)
    box.open()
    def twice(n: Int) = n * 2
    item andThen twice(1)
    Aid.help()
  }

  private def check(item: Item): Unit = ()
  def +(other: Order[T]) = this
  def total: Int

  class Größe
}

object Order extends Companion {
  val Limit = 10
  def create[T](n: Int) = new Order[T](n)
  case object Empty
}

case class Person(first: String, age: Int) extends Human

sealed trait Shape extends Thing with Named {
  def area: Double
}

enum Colour(val rgb: Int) derives Eq {
  case Red extends Colour(1)
  case Green, Blue
}

given ordering: Ord[Int] with { def compare = 1 }

extension (text: String) def shout: String = text.toUpperCase

def open(path: String): Int = path.length
val version = 4
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("scala", "src/main/scala/com/shop/orders/Order.scala", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class Order 8-44
field Order.id 10-10
type Order.Lines 12-12
field Order.items 13-13
field Order.audit 14-14
method Order.this 16-16
method Order.add 18-37
function Order.add.twice 34-34
method Order.check 39-39
method Order.+ 40-40
method Order.total 41-41
class Order.Größe 43-43
class Order 46-50
field Order.Limit 47-47
method Order.create 48-48
class Order.Empty 49-49
class Person 52-52
field Person.first 52-52
field Person.age 52-52
trait Shape 54-56
method Shape.area 55-55
enum Colour 58-61
field Colour.rgb 58-58
constant Colour.Red 59-59
constant Colour.Green 60-60
constant Colour.Blue 60-60
class ordering 63-63
method ordering.compare 63-63
function shout 65-65
function open 67-67
variable version 68-68
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order.add"].signature == "override def add[K](item: Item, rest: Int*): Int"
    assert found.symbols["Order.+"].signature == "def +(other: Order[T])"
    assert found.symbols["Shape"].signature == "sealed trait Shape extends Thing with Named"
    assert found.symbols["ordering"].signature == "given ordering: Ord[Int] with"
    assert found.symbols["Person"].signature == "case class Person(first: String, age: Int) extends Human"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order.add"].doc == "Adds an item.\n\nIt is checked before."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
Audit
this
check
this check
super save
store.queue push
audit write
items map
_ go
Order create
split
parts sort
tools Box
box open
item andThen
twice
Aid help
Order
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Entity
Comparable
ledger Entry
Companion
Human
Thing
Named
Eq
Colour
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
com.shop.items Item
com.shop.util *
com.shop Store
com.shop Helper Aid
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
id: Int
store: Store
clock: Clock
items: List
audit: Audit
id: Int
item: Item
parts: Parts
box: tools.Box
n: Int
item: Item
other: Order
n: Int
first: String
age: Int
rgb: Int
text: String
path: String
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports Aid shop/com/ Helper",
        "Order.add calls check = Order.check",
        "Order.add calls twice = Order.add.twice",
        "Order.add calls save ^ Order save",
        "Order.add calls help shop/com/ Helper.help",
        "Order.create calls Order = Order",
    } <= set(found.edges.splitlines())
