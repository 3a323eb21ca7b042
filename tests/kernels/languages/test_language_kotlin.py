"""Kotlin: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
package com.shop.orders

import com.shop.items.Item
import com.shop.util.*
import com.shop.store.Store as Shelf

/** An order of one customer. */
@Serializable
data class Order<T : Any>(val id: Int, private var shelf: Shelf, clock: Clock) :
    Entity(id), Comparable<Order<T>>, ledger.Entry by shelf {

    val items: MutableList<Item> = mutableListOf()
    private lateinit var helper: Helper
    private val audit = Audit(3)

    constructor(id: Int) : this(id, Shelf(), Clock()) {
        setup()
    }

    companion object {
        const val LIMIT = 10
        fun create(): Order<Item> = Order(1)
    }

    /**
     * Adds an item.
     */
    override suspend fun <K> add(item: Item, vararg rest: Int): Int {
        check(item)
        this.check(item)
        super.save()
        audit.write(item)
        shelf.queue.push(item)
        item?.touch()
        items.map { it.go() }
        Order.create()
        val parts: Parts = split(item)
        parts.sort()
        item shl 2
        return twice(1)
    }

    private fun check(item: Item) {}
    private fun twice(n: Int) = n * 2

    operator fun plus(other: Order<T>) = this

    inner class Größe
}

sealed interface Shape : Thing {
    fun area(): Double
    val sides: Int
}

enum class Colour(val rgb: Int) : Named {
    RED(1),
    GREEN(2) {
        override fun label() = "g"
    };

    open fun label() = "x"
}

object Registry : Base(), Named {
    fun find(name: String) = lookup(name)
}

typealias Handler = (Int) -> Unit

/** Shouts. */
fun String.shout(): String = uppercase()

const val TOP = 4
val String.size2: Int get() = length
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("kotlin", "src/main/kotlin/com/shop/orders/Order.kt", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class Order 7-49
field Order.id 9-9
field Order.shelf 9-9
field Order.items 12-12
field Order.helper 13-13
field Order.audit 14-14
method Order.constructor 16-18
constant Order.LIMIT 21-21
method Order.create 22-22
method Order.add 25-41
method Order.check 43-43
method Order.twice 44-44
method Order.plus 46-46
class Order.Größe 48-48
interface Shape 51-54
method Shape.area 52-52
field Shape.sides 53-53
enum Colour 56-63
field Colour.rgb 56-56
constant Colour.RED 57-57
class Colour.GREEN 58-60
method Colour.GREEN.label 59-59
method Colour.label 62-62
class Registry 65-67
method Registry.find 66-66
type Handler 69-69
function shout 71-72
constant TOP 74-74
variable size2 75-75
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == (
        "@Serializable data class Order<T : Any>(val id: Int, private var shelf: Shelf, clock: "
        "Clock) : Entity(id), Comparable<Order<T>>, ledger.Entry by shelf"
    )
    assert found.symbols["Order.add"].signature == "override suspend fun <K> add(item: Item, vararg rest: Int): Int"
    assert found.symbols["Order.constructor"].signature == "constructor(id: Int) : this(id, Shelf(), Clock())"
    assert found.symbols["shout"].signature == "fun String.shout(): String"
    assert found.symbols["Colour"].signature == "enum class Colour(val rgb: Int) : Named"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer."
    assert found.symbols["Order.add"].doc == "Adds an item."
    assert found.symbols["shout"].doc == "Shouts."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
mutableListOf
Audit
Shelf
Clock
setup
Order
check
this check
super save
audit write
shelf.queue push
item touch
items map
it go
Order create
split
parts sort
item shl
twice
lookup
uppercase
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Entity
Comparable
Entry
Thing
Named
Base
Named
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
com.shop.items.Item
com.shop.util *
com.shop.store.Store Shelf
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
id: Int
shelf: Shelf
clock: Clock
items: MutableList
helper: Helper
audit: Audit
id: Int
item: Item
rest: Int
parts: Parts
item: Item
n: Int
other: Order
sides: Int
rgb: Int
name: String
size2: Int
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports Shelf store/shop/com/ Store",
        "Order.create calls Order = Order",
        "Order.add calls check = Order.check",
        "Order.add calls twice = Order.twice",
        "Order.add calls save ^ Order save",
        "Order.add calls create = Order.create",
        "Order.add calls touch items/shop/com/ Item.touch",
    } <= set(found.edges.splitlines())
