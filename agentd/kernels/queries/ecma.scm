; What JavaScript and TypeScript have in common.

; Definitions. A function is one whatever it is bound to: const, property, member of module.exports.
(function_declaration name: (_) @name body: (_) @body) @definition.function
(generator_function_declaration name: (_) @name body: (_) @body) @definition.function
(class_declaration name: (_) @name body: (_) @body) @definition.class
(method_definition
  name: [(property_identifier) (private_property_identifier) (string)] @name
  body: (_) @body) @definition.method
(variable_declarator
  name: (identifier) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @definition.function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @definition.class
(pair
  key: [(property_identifier) (string)] @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @definition.function
(assignment_expression
  left: [(identifier) @name (member_expression object: (_) @scope property: (_) @name)]
  right: [(arrow_function body: (_) @body) (function_expression body: (_) @body)
          (generator_function body: (_) @body)]) @definition.function
(assignment_expression
  left: [(identifier) @name (member_expression object: (_) @scope property: (_) @name)]
  right: (class body: (_) @body)) @definition.class
(program [(lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable)
          (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)])
(export_statement declaration:
  [(lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable)
   (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)])
(export_statement) @extent

; Calls
(call_expression function: (identifier) @name) @reference.call
(call_expression function: (member_expression
  object: (_) @receiver
  property: [(property_identifier) (private_property_identifier)] @name)) @reference.call
(new_expression constructor: (identifier) @name) @reference.call
(new_expression constructor: (member_expression object: (_) @receiver property: (_) @name)) @reference.call
(decorator (identifier) @name) @reference.call

; Imports
(import_statement "import" . source: (string (string_fragment) @module)) @import
((variable_declarator
  name: (identifier) @alias
  value: (call_expression function: (identifier) @_require arguments: (arguments (string (string_fragment) @module)))) @import
  (#eq? @_require "require"))
((variable_declarator
  name: (object_pattern [
    (shorthand_property_identifier_pattern) @name
    (pair_pattern key: (_) @name value: (identifier) @alias)])
  value: (call_expression function: (identifier) @_require arguments: (arguments (string (string_fragment) @module)))) @import
  (#eq? @_require "require"))
((variable_declarator
  name: (identifier) @alias
  value: (member_expression
    object: (call_expression function: (identifier) @_require arguments: (arguments (string (string_fragment) @module)))
    property: (_) @name)) @import
  (#eq? @_require "require"))
(import_statement
  (import_clause (identifier) @default)
  source: (string (string_fragment) @module)) @import
(import_statement
  (import_clause (namespace_import (identifier) @alias))
  source: (string (string_fragment) @module)) @import
(import_statement
  (import_clause (named_imports (import_specifier name: (_) @name !alias)))
  source: (string (string_fragment) @module)) @import
(import_statement
  (import_clause (named_imports (import_specifier name: (_) @name alias: (_) @alias)))
  source: (string (string_fragment) @module)) @import
(export_statement
  (export_clause (export_specifier name: (_) @name !alias))
  source: (string (string_fragment) @module)) @import
(export_statement
  (export_clause (export_specifier name: (_) @name alias: (_) @alias))
  source: (string (string_fragment) @module)) @import
(export_statement (namespace_export (_) @alias) source: (string (string_fragment) @module)) @import
(export_statement "*" @wildcard source: (string (string_fragment) @module)) @import

; Bindings
(variable_declarator name: (identifier) @name value: (new_expression constructor: (_) @type)) @binding
(assignment_expression left: (_) @name right: (new_expression constructor: (_) @type)) @binding
