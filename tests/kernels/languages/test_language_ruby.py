"""Ruby: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
require 'json'
require_relative "../lib/ledger"

# Everything for sale.
module Shop
  # An order of one customer.
  #
  # It keeps its items.
  class Order < Base::Entity
    include Comparable
    extend Shop::Finders, Cache

    LIMIT = 10
    Missing = Class.new(StandardError)
    Point = Struct.new(:x, :y) do
      def length
        measure(x, y)
      end
    end
    attr_reader :items, :name

    class << self
      def create(*args)
        new(*args)
      end
    end

    # Builds one.
    def self.build(store)
      Order.new(store).add(nil)
    end

    def initialize(store)
      @store = store
      @log = Audit::Log.new
      setup
    end

    # Adds an item.
    def add(item, count: 1)
      check!(item)
      self.total = 2
      @log.write(item) { |line| line.touch }
      parts = Parts.new(item)
      parts&.sort!
      Shop::Helpers.verify(item)
      publish item
      @items
    end

    def check!(item) = raise(Missing)
    def ==(other)
      other.is_a?(Order)
    end

    def total=(value)
      @total = value
    end

    alias_method :push, :add
    define_method(:größe) { |n| n }

    private

    def setup; end
  end
end

def Shop.open(path)
  Shop::Order.build(path)
end
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("ruby", "lib/shop/order.rb", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
module Shop 4-67
class Shop.Order 6-66
constant Shop.Order.LIMIT 13-13
class Shop.Order.Missing 14-14
class Shop.Order.Point 15-19
method Shop.Order.Point.length 16-18
field Shop.Order.items 20-20
field Shop.Order.name 20-20
method Shop.Order.create 23-25
method Shop.Order.build 28-31
method Shop.Order.initialize 33-37
method Shop.Order.add 39-49
method Shop.Order.check! 51-51
method Shop.Order.== 52-54
method Shop.Order.total= 56-58
method Shop.Order.push 60-60
method Shop.Order.größe 61-61
method Shop.Order.setup 65-65
method Shop.open 69-71
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Shop"].signature == "module Shop"
    assert found.symbols["Shop.Order"].signature == "class Order < Base::Entity"
    assert found.symbols["Shop.Order.add"].signature == "def add(item, count: 1)"
    assert found.symbols["Shop.Order.build"].signature == "def self.build(store)"
    assert found.symbols["Shop.Order.items"].signature == "attr_reader :items, :name"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Shop"].doc == "Everything for sale."
    assert found.symbols["Shop.Order"].doc == "An order of one customer.\n\nIt keeps its items."
    assert found.symbols["Shop.Order.add"].doc == "Adds an item."


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
require
require_relative
include
extend
Class
Struct
measure
attr_reader
new
Order
Order.new(store) add
Audit Log
check!
self total
@log write
line touch
Parts
parts sort!
Shop::Helpers verify
publish
raise
other is_a?
alias_method
define_method
private
Shop::Order build
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Base Entity
Comparable
Shop Finders
Cache
StandardError
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
json *
../lib/ledger *
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
@log: Audit::Log
parts: Parts
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports * ledger/lib/lib//",
        "Shop.Order.build calls Order = Shop.Order",
        "Shop.Order.add calls check! = Shop.Order.check!",
        "Shop.Order.add calls publish ^ Shop.Order publish",
        "Shop.open calls build = Shop.Order.build",
    } <= set(found.edges.splitlines())
