; Lua. Classes are tables by convention: what is given a metatable or made by class(...) or Base:extend(...) counts as
; one, and so does a table of the file that begins empty or holds functions.

; definitions
(function_declaration name: (identifier) @name body: (_)? @body) @definition.function
(function_declaration
  name: [
    (dot_index_expression table: (_) @scope field: (identifier) @name)
    (method_index_expression table: (_) @scope method: (identifier) @name)
  ]
  body: (_)? @body) @definition.method
(variable_declaration
  (assignment_statement
    (variable_list . name: (identifier) @name)
    (expression_list . value: (function_definition body: (_)? @body)))) @definition.function
(assignment_statement
  (variable_list . name: (identifier) @name)
  (expression_list . value: (function_definition body: (_)? @body))) @definition.function
(assignment_statement
  (variable_list
    . name: [
      (dot_index_expression table: (_) @scope field: (identifier) @name)
      (bracket_index_expression table: (_) @scope field: (string content: (string_content) @name))
    ])
  (expression_list . value: (function_definition body: (_)? @body))) @definition.method
(table_constructor (field name: (identifier) @name value: (function_definition body: (_)? @body)) @definition.function)
(chunk
  (variable_declaration
    (assignment_statement
      (variable_list . name: (identifier) @name)
      (expression_list . value: (function_call
        name: [(identifier) @_make (method_index_expression method: (identifier) @_make)]))))
  @definition.class
  (#any-of? @_make "Class" "class" "extend" "setmetatable" "subclass"))
(chunk
  (variable_declaration
    (assignment_statement
      (variable_list . name: (identifier) @name)
      (expression_list . value: (table_constructor) @_table)))
  @definition.class
  (#match? @_table "^[{]\\s*[}]$"))
(chunk
  (variable_declaration
    (assignment_statement
      (variable_list . name: (identifier) @name)
      (expression_list . value: (table_constructor (field value: (function_definition)))))) @definition.class)
(chunk
  (variable_declaration
    (assignment_statement
      (variable_list . name: (identifier) @name)
      (expression_list . value: [(number) (string) (true) (false) (nil) (table_constructor)]))) @definition.variable)
(chunk (assignment_statement (variable_list . name: (identifier) @name)) @definition.variable)
(chunk
  (assignment_statement
    (variable_list . name: (dot_index_expression table: (identifier) @scope field: (identifier) @name)))
  @definition.field
  (#not-match? @name "^__"))

; calls
(function_call name: (identifier) @name) @reference.call
(function_call name: (dot_index_expression table: (_) @receiver field: (identifier) @name)) @reference.call
(function_call name: (method_index_expression table: (_) @receiver method: (identifier) @name)) @reference.call

; bases: setmetatable({}, {__index = Base}), class("Name", Base), Base:extend()
(chunk
  (variable_declaration
    (assignment_statement
      (expression_list . value: [
        (function_call
          name: (identifier) @_make
          arguments: (arguments (table_constructor (field name: (identifier) @_index value: (identifier) @name))))
        (function_call name: (identifier) @_make arguments: (arguments (identifier) @name))
        (function_call name: (method_index_expression table: (identifier) @name method: (identifier) @_make))
      ] @reference.inherits)))
  (#any-of? @_make "Class" "class" "extend" "setmetatable" "subclass")
  (#eq? @_index "__index"))

; imports
(assignment_statement
  (variable_list . name: (identifier) @alias)
  (expression_list . value: (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module))))
  (#eq? @_require "require")) @import
(assignment_statement
  (variable_list . name: (identifier) @alias)
  (expression_list . value: (dot_index_expression
    table: (function_call
      name: (identifier) @_require
      arguments: (arguments . (string content: (string_content) @module)))
    field: (identifier) @name))
  (#eq? @_require "require")) @import
([
  (chunk (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module))))
  (block (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module))))
  (arguments (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module))))
  (return_statement (expression_list (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module)))))
  (field value: (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module))))
  (function_call name: (_ table: (function_call
    name: (identifier) @_require
    arguments: (arguments . (string content: (string_content) @module)))))
] @import
  (#eq? @_require "require"))

; bindings: T.new(), T:new() and setmetatable({}, T) make a T
([
  (assignment_statement
    (variable_list . name: (_) @name)
    (expression_list . value: (function_call name: [
      (dot_index_expression table: (_) @type field: (identifier) @_new)
      (method_index_expression table: (_) @type method: (identifier) @_new)
    ])))
  (assignment_statement
    (variable_list . name: (_) @name)
    (expression_list . value: (function_call
      name: (identifier) @_new
      arguments: (arguments . (_) . (identifier) @type .))))
] @binding
  (#any-of? @_new "new" "setmetatable"))
