; Ruby. Whether "name" alone is a call or a variable is not in the grammar: as a statement whose value nobody takes, it
; can only be a call.

; definitions
(module name: [(constant) @name (scope_resolution scope: (_) @scope name: (constant) @name)]) @definition.module
(class name: [(constant) @name (scope_resolution scope: (_) @scope name: (constant) @name)]) @definition.class
(class name: (scope_resolution !scope name: (constant) @name)) @definition.class
(assignment
  left: (constant) @name
  right: (call receiver: (constant) @_class method: (identifier) @_new block: (_)? @body)
  (#any-of? @_class "Class" "Data" "Module" "Struct")
  (#any-of? @_new "define" "new")) @definition.class
(method name: (_) @name body: (_)? @body) @definition.function
(singleton_method object: (self) name: (_) @name body: (_)? @body) @definition.method
(singleton_method object: (constant) @scope name: (_) @name body: (_)? @body) @definition.method
(alias name: (identifier) @name) @definition.method
(call
  !receiver
  method: (identifier) @_define
  arguments: (argument_list . [(simple_symbol) @name (string (string_content) @name)])
  (#any-of? @_define "alias_method" "define_method" "define_singleton_method")) @definition.method
(call
  !receiver
  method: (identifier) @_attribute
  arguments: (argument_list [(simple_symbol) @name (string (string_content) @name)])
  (#any-of? @_attribute "attr_accessor" "attr_reader" "attr_writer")) @definition.field
(assignment left: (constant) @name) @definition.constant
(assignment left: (left_assignment_list (constant) @name)) @definition.constant
(assignment left: (scope_resolution scope: (_) @scope name: (constant) @name)) @definition.constant
(class body: (body_statement (assignment left: (class_variable) @name) @definition.field))
(program (assignment left: (global_variable) @name) @definition.variable)

; calls: T.new counts as a call of T
(call
  receiver: [(constant) @name (scope_resolution scope: (_) @receiver name: (constant) @name)]
  method: (identifier) @_new
  (#eq? @_new "new")) @reference.call
(call receiver: (_) @receiver method: [(identifier) (constant)] @name (#not-eq? @name "new")) @reference.call
(call
  !receiver
  method: [(identifier) (constant)] @name) @reference.call
([
  (body_statement (identifier) @name . (_))
  (block_body (identifier) @name . (_))
  (then (identifier) @name . (_))
  (program (identifier) @name)
] @reference.call)

; bases
(superclass
  [(constant) @name (scope_resolution scope: (_) @receiver name: (constant) @name)]) @reference.inherits
(superclass (scope_resolution !scope name: (constant) @name)) @reference.inherits
(call
  !receiver
  method: (identifier) @_mixin
  arguments: (argument_list
    [(constant) @name (scope_resolution scope: (_) @receiver name: (constant) @name)] @reference.inherits)
  (#any-of? @_mixin "extend" "include" "prepend"))
(assignment
  left: (constant)
  right: (call
    receiver: (constant) @_class
    arguments: (argument_list
      . [(constant) @name (scope_resolution scope: (_) @receiver name: (constant) @name)] @reference.inherits))
  (#eq? @_class "Class"))

; imports
(call
  !receiver
  method: (identifier) @_require
  arguments: (argument_list (string (string_content) @module @wildcard) .)
  (#any-of? @_require "autoload" "load" "require" "require_relative")) @import

; bindings
([
  (assignment
    left: [(identifier) (instance_variable) (class_variable)] @name
    right: (call receiver: (_) @type method: (identifier) @_new))
  (operator_assignment
    left: [(identifier) (instance_variable) (class_variable)] @name
    right: (call receiver: (_) @type method: (identifier) @_new))
] @binding
  (#match? @type "^[A-Z:][A-Za-z0-9_:]*$")
  (#eq? @_new "new"))
