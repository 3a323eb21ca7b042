"""Lua: what its query, symbols and edges say of a file."""

from __future__ import annotations

import pytest
from language_report import Report, report

SAMPLE = """\
local json = require("json")
local util = require 'app.util'
local trim = require("app.text").trim
require "app.boot"

-- An order of one customer.
local Order = setmetatable({}, { __index = Entity })
Order.__index = Order
Order.LIMIT = 10

local defaults = { size = 1 }
local M = {
  version = 1,
  open = function(path) return read(path) end,
}
local Special = Order:extend()
GLOBAL = 4

--- Makes one.
-- @param store where it is kept
function Order.new(store)
  local self = setmetatable({}, Order)
  self.store = Store.new()
  return self
end

-- Adds an item.
function Order:add(item)
  self:check(item)
  check(item)
  self.store:push(item)
  util.helper(item)
  json.encode { a = 1 }
  local parts = Parts:new(item)
  parts:sort()
  local function inner() end
end

function Order:check(item) end

local function check(item) return trim(item) end
local twice = function(n) return n * 2 end
Order.create = function() return Order.new(1) end
function app.tools.run(x) M.open(x) end
M["größe"] = function() end

return Order
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return report("lua", "src/order.lua", SAMPLE)


def test_definitions_are_named_nested_and_located(found: Report) -> None:
    assert (
        found.outline
        == """\
class Order 6-7
constant Order.LIMIT 9-9
variable defaults 11-11
class M 12-15
method M.open 14-14
class Special 16-16
constant GLOBAL 17-17
method Order.new 19-25
method Order.add 27-37
function Order.add.inner 36-36
method Order.check 39-39
function check 41-41
function twice 42-42
method Order.create 43-43
method app.tools.run 44-44
method M.größe 45-45
"""
    )


def test_a_signature_is_the_head_without_the_body(found: Report) -> None:
    assert found.symbols["Order.add"].signature == "function Order:add(item)"
    assert found.symbols["Order.create"].signature == "Order.create = function()"
    assert found.symbols["check"].signature == "local function check(item)"
    assert found.symbols["M.open"].signature == "open = function(path)"


def test_a_doc_comment_is_kept_without_its_markers(found: Report) -> None:
    assert found.symbols["Order"].doc == "An order of one customer."
    assert found.symbols["Order.new"].doc == "Makes one.\n@param store where it is kept"


def test_calls_carry_what_they_are_called_on(found: Report) -> None:
    assert (
        found.calls
        == """\
require
require
require
require
setmetatable
read
Order extend
setmetatable
Store new
self check
check
self.store push
util helper
json encode
Parts new
parts sort
trim
Order new
M open
"""
    )


def test_bases_are_found_with_their_path(found: Report) -> None:
    assert (
        found.bases
        == """\
Entity
Order
"""
    )


def test_imports_tell_what_is_taken_and_as_what(found: Report) -> None:
    assert (
        found.imports
        == """\
json json
app.util util
app.text trim trim
app.boot
"""
    )


def test_bindings_tell_the_types_that_are_written_or_constructed(found: Report) -> None:
    assert (
        found.bindings
        == """\
self: Order
self.store: Store
parts: Parts
"""
    )


def test_edges_lead_to_the_file_itself_to_bases_and_to_imports(found: Report) -> None:
    assert {
        "- imports util util/app/",
        "- imports trim text/app/ trim",
        "check calls trim text/app/ trim",
        "Special inherits Order = Order",
        "Order.add calls check = Order.check",
        "Order.add calls check = check",
        "Order.add calls helper util/app/ helper",
        "Order.create calls new = Order.new",
        "app.tools.run calls open = M.open",
    } <= set(found.edges.splitlines())
