"""C++: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
#include <vector>
#include "order.hpp"

using namespace std;
using ledger::Entry;

namespace shop::orders {

/// The most.
constexpr int LIMIT = 10;

/**
 * An order of one customer.
 */
template <typename T>
class Order : public Base<T>, private ledger::Entry {
public:
    explicit Order(Store store) : Base<T>(store), store_(store) { setup(); }
    ~Order();

    /// Adds an item.
    template <typename K>
    int add(const T& item, Clock* clock) override {
        check(item);
        this->check(item);
        Base<T>::save();
        store_.queue.push(item);
        clock->tick();
        auto parts = Parts(item);
        parts.sort();
        Box box{1};
        box.open();
        auto* log = new tools::Log();
        log->write();
        std::make_unique<T>(item);
        Order::create();
        return twice<int>(1);
    }

    Order operator+(const Order& other) const { return *this; }
    static Order create();
    int count() const;

private:
    void check(const T& item) {}
    Store store_;
    int größe = 0;
    enum class Kind { Small, Large };
};

struct Point { double x, y; };
using Handler = int (*)(int);
template <typename T> concept Named = requires(T t) { t.name(); };

int twice(int n) { return n * 2; }

}  // namespace shop::orders

int shop::orders::Order::count() const { return helper(1); }

static void check(int item) {}
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("cpp", "src/shop/order.cpp", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
module shop.orders 7-57
constant shop.orders.LIMIT 9-10
class shop.orders.Order 12-49
method shop.orders.Order.Order 18-18
method shop.orders.Order.~Order 19-19
method shop.orders.Order.add 21-38
method shop.orders.Order.operator+ 40-40
method shop.orders.Order.create 41-41
method shop.orders.Order.count 42-42
method shop.orders.Order.check 45-45
field shop.orders.Order.store_ 46-46
field shop.orders.Order.größe 47-47
enum shop.orders.Order.Kind 48-48
constant shop.orders.Order.Kind.Small 48-48
constant shop.orders.Order.Kind.Large 48-48
struct shop.orders.Point 51-51
field shop.orders.Point.x 51-51
field shop.orders.Point.y 51-51
type shop.orders.Handler 52-52
type shop.orders.Named 53-53
function shop.orders.twice 55-55
method shop.orders.Order.count 59-59
function check 61-61
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["shop.orders.Order"].signature == "class Order : public Base<T>, private ledger::Entry"
    assert found.symbols["shop.orders.Order.add"].signature == "int add(const T& item, Clock* clock) override"
    assert found.symbols["shop.orders.Order.operator+"].signature == "Order operator+(const Order& other) const"
    assert found.symbols["shop.orders.Order.Order"].signature == (
        "explicit Order(Store store) : Base<T>(store), store_(store)"
    )


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["shop.orders.Order"].doc == "An order of one customer."
    assert found.symbols["shop.orders.Order.add"].doc == "Adds an item."
    assert found.symbols["shop.orders.LIMIT"].doc == "The most."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
setup
check
this check
Base<T> save
store_.queue push
clock tick
Parts
parts sort
box open
tools Log
log write
std make_unique
Order create
twice
t name
helper
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Base
ledger Entry
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
<vector> *
order.hpp *
std *
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
LIMIT: int
store: Store
item: T
clock: Clock
parts: Parts
box: Box
log: tools::Log
other: Order
item: T
store_: Store
größe: int
x: double
y: double
t: T
n: int
item: int
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports * order/",
        "shop.orders.Order.add calls check = shop.orders.Order.check",
        "shop.orders.Order.add calls create = shop.orders.Order.create",
        "shop.orders.Order.add calls twice = shop.orders.twice",
    } <= set(found.edges.splitlines())
