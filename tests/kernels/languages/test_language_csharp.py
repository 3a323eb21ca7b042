"""C#: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
using System.Collections.Generic;
using static System.Math;
using Json = Newtonsoft.Json.JsonConvert;

namespace Shop.Orders
{
    /// <summary>An order of one customer.</summary>
    /// <typeparam name="T">What is ordered.</typeparam>
    [Serializable]
    public abstract class Order<T> : Entity, IComparable<Order<T>>, Ledger.IEntry
        where T : new()
    {
        public const int Limit = 10, Minimum = 1;
        private readonly List<T> _items = new();
        private Store store;
        public event EventHandler? Changed;
        public string Name { get; set; } = "none";

        public Order(Store store) : base(store) { this.store = store; }

        /** Adds an item. */
        [Obsolete("Use Put")]
        public async Task<int> AddAsync<K>(T item, Clock clock, params int[] rest)
        {
            Check(item);
            this.Check(item, strict: true);
            base.Save();
            var audit = new Audit.Log<int>(3);
            audit.Write(item);
            await store.Queue.PushAsync(item);
            clock?.Tick();
            foreach (Line line in _items) { line.Touch(); }
            int Twice(int n) => n * 2;
            return Twice(Json.Parse<int>("1"));
        }

        private void Check(T item) { }
        private void Check(T item, bool strict) { Helpers.Verify(item); }

        public static Order<T> operator +(Order<T> left, Order<T> right) => left;
        void IDisposable.Dispose() => _items.Clear();

        private sealed class Größe { public int Wert; }
    }

    public record Person(string First, int Age) : Human(First);
    public struct Point { public int X; }
    public enum Colour { Red, Green = 2 }
    public interface IEntry : IThing { void Post(); int Total { get; } }
    public delegate void Handler(object sender);
}
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("csharp", "src/Shop/Orders/Order.cs", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class Order 7-44
constant Order.Limit 13-13
constant Order.Minimum 13-13
field Order._items 14-14
field Order.store 15-15
field Order.Changed 16-16
field Order.Name 17-17
method Order.Order 19-19
method Order.AddAsync 21-35
function Order.AddAsync.Twice 33-33
method Order.Check 37-37
method Order.Check 38-38
method Order.+ 40-40
method Order.Dispose 41-41
class Order.Größe 43-43
field Order.Größe.Wert 43-43
class Person 46-46
field Person.First 46-46
field Person.Age 46-46
struct Point 47-47
constant Point.X 47-47
enum Colour 48-48
constant Colour.Red 48-48
constant Colour.Green 48-48
interface IEntry 49-49
method IEntry.Post 49-49
field IEntry.Total 49-49
type Handler 50-50
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == (
        "[Serializable] public abstract class Order<T> : Entity, IComparable<Order<T>>, Ledger.IEntry where T : new()"
    )
    assert found.symbols["Order.AddAsync"].signature == (
        '[Obsolete("Use Put")] public async Task<int> AddAsync<K>(T item, Clock clock, params int[] rest)'
    )
    assert found.symbols["Order.Limit"].signature == "public const int Limit = 10, Minimum = 1"
    assert found.symbols["Order.+"].signature == "public static Order<T> operator +(Order<T> left, Order<T> right)"
    assert found.symbols["Person"].signature == "public record Person(string First, int Age) : Human(First)"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer.\nWhat is ordered."
    assert found.symbols["Order.AddAsync"].doc == "Adds an item."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
Check
this Check
base Save
Audit Log
audit Write
store.Queue PushAsync
clock Tick
line Touch
Twice
Json Parse
Helpers Verify
_items Clear
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Entity
IComparable
Ledger IEntry
Human
IThing
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
System.Collections.Generic *
System.Math *
Newtonsoft.Json.JsonConvert Json
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
_items: List
store: Store
Changed: EventHandler
store: Store
item: T
clock: Clock
audit: Audit.Log<int>
line: Line
item: T
item: T
left: Order
right: Order
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports Json Json/Newtonsoft/ JsonConvert",
        "Order.AddAsync calls Check = Order.Check",
        "Order.AddAsync calls Save ^ Order Save",
        "Order.AddAsync calls Twice = Order.AddAsync.Twice",
        "Order.AddAsync calls Parse Json/Newtonsoft/ JsonConvert.Parse",
        "Order.AddAsync calls Tick Orders/Shop/src// Clock.Tick",
    } <= set(found.edges.splitlines())
