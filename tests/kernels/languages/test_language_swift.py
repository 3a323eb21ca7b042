"""Swift: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
import Foundation
@testable import Ledger

/// An order of one customer.
///
/// It keeps its items.
@MainActor
public final class Order<T: Codable>: Entity, Comparable, Ledger.Entry where T: Hashable {
    static let limit = 10, minimum = 1
    private var items: [Item] = []
    let store: Store
    weak var delegate: Delegate?
    var audit = Audit()
    @Published var name: String { didSet { notify() } }
    var count: Int { items.count }

    init(store: Store) {
        self.store = store
        super.init(store)
    }

    deinit { cleanup() }

    /// Adds an item.
    @discardableResult
    func add<K>(_ item: Item, to rest: Int...) async throws -> Int {
        let parts: Parts = split(item)
        let box = Box<Int>(item)
        check(item)
        self.check(item)
        try await store.queue.push(item)
        item?.touch()
        items.map { $0.go() }
        Order.create()
        parts.sort()
        box.open()
        audit.write(items[0])
        return 1
    }

    private func check(_ item: Item) {}

    static func == (left: Order, right: Order) -> Bool { true }
    subscript(index: Int) -> Item { items[index] }

    class Größe {}
    enum Kind: String, CaseIterable {
        case small, large = "x"
        case custom(Int)
    }
}

struct Point: Shape {
    var x = 0
}

protocol Shape: AnyObject {
    associatedtype Element
    func area() -> Double
    var sides: Int { get }
}

extension Order: Printable {
    /// Prints it.
    func describe() { check(items[0]) }
    struct Line { var text: String }
}

actor Bank {
    func deposit() {}
}

typealias Handler = (Int) -> Void

func open(path: String) -> Order<Int> { Order(store: Store(path)) }
let version = 4
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("swift", "Sources/Shop/Order.swift", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class Order 4-51
field Order.limit 9-9
field Order.minimum 9-9
field Order.items 10-10
field Order.store 11-11
field Order.delegate 12-12
field Order.audit 13-13
field Order.name 14-14
field Order.count 15-15
method Order.init 17-20
method Order.deinit 22-22
method Order.add 24-39
method Order.check 41-41
method Order.== 43-43
method Order.subscript 44-44
class Order.Größe 46-46
enum Order.Kind 47-50
constant Order.Kind.small 48-48
constant Order.Kind.large 48-48
constant Order.Kind.custom 49-49
struct Point 53-55
field Point.x 54-54
interface Shape 57-61
type Shape.Element 58-58
method Shape.area 59-59
field Shape.sides 60-60
method Order.describe 64-65
struct Order.Line 66-66
field Order.Line.text 66-66
class Bank 69-71
method Bank.deposit 70-70
type Handler 73-73
function open 75-75
variable version 76-76
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order"].signature == (
        "@MainActor public final class Order<T: Codable>: Entity, Comparable, Ledger.Entry where T: Hashable"
    )
    assert found.symbols["Order.add"].signature == (
        "@discardableResult func add<K>(_ item: Item, to rest: Int...) async throws -> Int"
    )
    assert found.symbols["Order.name"].signature == "@Published var name: String"
    assert found.symbols["Order.=="].signature == "static func == (left: Order, right: Order) -> Bool"
    assert found.symbols["Shape.sides"].signature == "var sides: Int { get }"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer.\n\nIt keeps its items."
    assert found.symbols["Order.add"].doc == "Adds an item."
    assert found.symbols["Order.describe"].doc == "Prints it."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
Audit
notify
super init
cleanup
split
Box
check
self check
store.queue push
item touch
items map
$0 go
Order create
parts sort
box open
audit write
check
Order
Store
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Entity
Comparable
Entry
String
CaseIterable
Shape
AnyObject
Printable
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
Foundation *
Ledger *
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
store: Store
delegate: Delegate
audit: Audit
name: String
count: Int
store: Store
item: Item
rest: Int
parts: Parts
box: Box
item: Item
left: Order
right: Order
index: Int
text: String
path: String
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports * Ledger/",
        "Point inherits Shape = Shape",
        "Order.add calls check = Order.check",
        "Order.describe calls check = Order.check",
        "Order.deinit calls cleanup ^ Order cleanup",
        "open calls Order = Order",
    } <= set(found.edges.splitlines())
