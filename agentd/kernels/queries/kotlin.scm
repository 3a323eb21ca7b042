; Kotlin. The members of a companion object are used as members of its class, so it is no definition of its own.

; definitions
(class_declaration "interface" name: (identifier) @name (class_body)? @body) @definition.interface
(class_declaration
  (modifiers (class_modifier) @_enum)
  name: (identifier) @name
  (enum_class_body)? @body
  (#eq? @_enum "enum")) @definition.enum
(class_declaration "class" name: (identifier) @name (class_body)? @body) @definition.class
(object_declaration name: (identifier) @name (class_body)? @body) @definition.class
(type_alias type: (identifier) @name) @definition.type
(function_declaration name: (identifier) @name (function_body)? @body) @definition.function
(secondary_constructor "constructor" @name (block)? @body) @definition.method
(source_file (property_declaration (variable_declaration (identifier) @name)) @definition.variable)
(class_body (property_declaration (variable_declaration (identifier) @name)) @definition.field)
(enum_class_body (property_declaration (variable_declaration (identifier) @name)) @definition.field)
(class_parameter ["val" "var"] (identifier) @name) @definition.field
(enum_entry (identifier) @name (class_body) @body) @definition.class
(enum_entry (identifier) @name) @definition.constant

; calls
(call_expression . (identifier) @name) @reference.call
(call_expression . (navigation_expression . (_) @receiver (identifier) @name .)) @reference.call
(infix_expression . (_) @receiver . (identifier) @name . (_)) @reference.call

; bases
(_
  name: (identifier)
  (delegation_specifiers
    (delegation_specifier
      [
        (user_type (identifier) @name . (type_arguments)? .)
        (constructor_invocation (user_type (identifier) @name . (type_arguments)? .))
        (explicit_delegation (user_type (identifier) @name . (type_arguments)? .))
      ]) @reference.inherits))

; imports
(import (qualified_identifier) @module "*"? @wildcard (identifier)? @alias) @import

; bindings: a call of a capitalised name constructs
([
  (variable_declaration . (identifier) @name . [
    (user_type (identifier) @type . (type_arguments)? .)
    (nullable_type (user_type (identifier) @type . (type_arguments)? .))
  ])
  (parameter . (identifier) @name . [
    (user_type (identifier) @type . (type_arguments)? .)
    (nullable_type (user_type (identifier) @type . (type_arguments)? .))
  ])
  (class_parameter (identifier) @name . [
    (user_type (identifier) @type . (type_arguments)? .)
    (nullable_type (user_type (identifier) @type . (type_arguments)? .))
  ])
  (catch_block (identifier) @name . (user_type (identifier) @type .))
] @binding)
(property_declaration
  (variable_declaration . (identifier) @name .)
  (call_expression . [(identifier) (navigation_expression)] @type)
  (#match? @type "^([a-z0-9_]+[.])*[A-Z][A-Za-z0-9]*$")) @binding
(assignment
  left: [(identifier) (navigation_expression)] @name
  right: (call_expression . [(identifier) (navigation_expression)] @type)
  (#match? @type "^([a-z0-9_]+[.])*[A-Z][A-Za-z0-9]*$")) @binding
