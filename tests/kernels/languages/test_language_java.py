"""Java: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
package com.shop.orders;

import com.shop.items.Item;
import com.shop.util.*;
import static com.shop.tools.Helpers.verify;

/**
 * An order of one customer.
 *
 * @param <T> what is ordered
 */
@Entity
public abstract class Order<T extends Item> extends Base<T> implements Comparable<Order<T>>, ledger.Entry {
    public static final int LIMIT = 10, MINIMUM = 1;
    private final Store store;
    protected List<T> items = new ArrayList<>();

    public Order(Store store) {
        super(store);
        this.store = store;
    }

    /** Adds an item. */
    @Override
    public <K> int add(T item, Clock clock, int... rest) throws IOException {
        check(item);
        this.check(item, true);
        super.save();
        store.queue.push(item);
        clock.tick();
        var audit = new Audit.Log<Integer>(3);
        audit.write(item);
        Parts parts = split(item);
        parts.sort();
        verify(item);
        Order.create();
        items.forEach(line -> line.touch());
        new Box().open();
        Runnable run = new Runnable() {
            public void run() { work(); }
        };
        return 1;
    }

    private void check(T item) {}

    private void check(T item, boolean strict) {}

    static Order<?> create() { return null; }

    class Größe { int wert; }

    enum Colour implements Named {
        RED(1), GREEN(2) { @Override String label() { return "g"; } };

        final int rgb;
        Colour(int rgb) { this.rgb = rgb; }
        String label() { return "x"; }
    }
}

record Person(String first, int age) implements Human {}

sealed interface Shape extends Thing, Named permits Circle {
    double area();
}

@interface Marker { int value() default 1; }
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("java", "src/main/java/com/shop/orders/Order.java", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class Order 7-60
constant Order.LIMIT 14-14
constant Order.MINIMUM 14-14
field Order.store 15-15
field Order.items 16-16
method Order.Order 18-21
method Order.add 23-43
method Order.add.run 40-40
method Order.check 45-45
method Order.check 47-47
method Order.create 49-49
class Order.Größe 51-51
field Order.Größe.wert 51-51
enum Order.Colour 53-59
constant Order.Colour.RED 54-54
class Order.Colour.GREEN 54-54
method Order.Colour.GREEN.label 54-54
field Order.Colour.rgb 56-56
method Order.Colour.Colour 57-57
method Order.Colour.label 58-58
class Person 62-62
field Person.first 62-62
field Person.age 62-62
interface Shape 64-66
method Shape.area 65-65
interface Marker 68-68
method Marker.value 68-68
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == (
        "@Entity public abstract class Order<T extends Item> extends Base<T> implements "
        "Comparable<Order<T>>, ledger.Entry"
    )
    assert found.symbols["Order.add"].signature == (
        "@Override public <K> int add(T item, Clock clock, int... rest) throws IOException"
    )
    assert found.symbols["Shape"].signature == "sealed interface Shape extends Thing, Named permits Circle"
    assert found.symbols["Person"].signature == "record Person(String first, int age) implements Human"
    assert found.symbols["Order.LIMIT"].signature == "public static final int LIMIT = 10, MINIMUM = 1"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer.\n\n@param <T> what is ordered"
    assert found.symbols["Order.add"].doc == "Adds an item."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
ArrayList
check
this check
super save
store.queue push
clock tick
Audit Log
audit write
split
parts sort
verify
Order create
items forEach
line touch
Box
new Box() open
Runnable
work
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Base
Comparable
ledger Entry
Named
Human
Thing
Named
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
com.shop.items.Item
com.shop.util *
com.shop.tools.Helpers.verify
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
LIMIT: int
MINIMUM: int
store: Store
items: List<T>
store: Store
item: T
clock: Clock
audit: Audit.Log<Integer>
parts: Parts
run: Runnable
run: Runnable
item: T
item: T
strict: boolean
wert: int
rgb: int
rgb: int
first: String
age: int
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports * util/shop/com/",
        "- imports verify tools/shop/com/ Helpers.verify",
        "Order.add calls check = Order.check",
        "Order.add calls create = Order.create",
        "Order.add calls save ^ Order save",
        "Order.add calls verify tools/shop/com/ Helpers.verify",
        "Order.add calls write orders/shop/com/java/main/src// Audit.Log.write",
        "Order.add calls open orders/shop/com/java/main/src// Box.open",
    } <= set(found.edges.splitlines())
