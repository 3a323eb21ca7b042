; Scala. An import's path is a run of identifiers and dots: @module goes from the first to the last. Packages are what
; imports ask for, so they are no part of a qualified name.

; definitions
(package_object name: (identifier) @name body: (_)? @body) @definition.module
(class_definition name: (identifier) @name body: (_)? @body) @definition.class
(object_definition name: (identifier) @name body: (_)? @body) @definition.class
(trait_definition name: (identifier) @name body: (_)? @body) @definition.trait
(enum_definition name: (identifier) @name body: (_)? @body) @definition.enum
(simple_enum_case name: (identifier) @name) @definition.constant
(full_enum_case name: (identifier) @name) @definition.class
(given_definition name: (identifier) @name body: (_)? @body) @definition.class
(type_definition name: (type_identifier) @name) @definition.type
(function_definition name: (_) @name body: (_)? @body) @definition.function
(function_declaration name: (_) @name) @definition.function
(compilation_unit (val_definition pattern: (identifier) @name) @definition.variable)
(compilation_unit (var_definition pattern: (identifier) @name) @definition.variable)
(template_body (val_definition pattern: (identifier) @name) @definition.field)
(template_body (var_definition pattern: (identifier) @name) @definition.field)
(template_body (val_declaration name: (identifier) @name) @definition.field)
(template_body (var_declaration name: (identifier) @name) @definition.field)
(class_parameter ["val" "var"] name: (identifier) @name) @definition.field
(class_definition "case" (class_parameters (class_parameter name: (identifier) @name) @definition.field))

; calls
([
  (call_expression function: (identifier) @name)
  (call_expression function: (generic_function function: (identifier) @name))
  (call_expression function: (field_expression value: (_) @receiver field: (identifier) @name))
  (call_expression
    function: (generic_function function: (field_expression value: (_) @receiver field: (identifier) @name)))
  (infix_expression left: (_) @receiver operator: (identifier) @name)
] @reference.call)
(instance_expression
  [
    (type_identifier) @name
    (generic_type type: (type_identifier) @name)
    (stable_type_identifier . (_) @receiver (type_identifier) @name)
    (generic_type type: (stable_type_identifier . (_) @receiver (type_identifier) @name))
    (compound_type base: [
      (type_identifier) @name
      (generic_type type: (type_identifier) @name)
      (applied_constructor_type . (type_identifier) @name)
      (applied_constructor_type . (generic_type type: (type_identifier) @name))
    ])
  ]) @reference.call

; bases
(extends_clause
  [
    (type_identifier) @name
    (generic_type type: (type_identifier) @name)
    (stable_type_identifier . (_) @receiver (type_identifier) @name)
    (generic_type type: (stable_type_identifier . (_) @receiver (type_identifier) @name))
  ] @reference.inherits)
(derives_clause type: (type_identifier) @name @reference.inherits)

; imports
(import_declaration path: _+ @module (namespace_wildcard) @wildcard) @import
(import_declaration path: _+ @module (namespace_selectors (identifier) @name)) @import
(import_declaration path: _+ @module (namespace_selectors (_ name: (identifier) @name alias: (_) @alias))) @import
(import_declaration path: _+ @module (namespace_selectors (namespace_wildcard) @wildcard)) @import
(import_declaration path: _* @module . path: "." . path: (identifier) @name .) @import

; bindings
([
  (class_parameter name: (identifier) @name type: [
    (type_identifier) @type
    (stable_type_identifier) @type
    (generic_type type: (_) @type)
  ])
  (parameter name: (identifier) @name type: [
    (type_identifier) @type
    (stable_type_identifier) @type
    (generic_type type: (_) @type)
  ])
  (val_definition pattern: (identifier) @name type: [
    (type_identifier) @type
    (stable_type_identifier) @type
    (generic_type type: (_) @type)
  ])
  (var_definition pattern: (identifier) @name type: [
    (type_identifier) @type
    (stable_type_identifier) @type
    (generic_type type: (_) @type)
  ])
  (val_definition !type pattern: (identifier) @name value: (instance_expression [
    (type_identifier) @type
    (stable_type_identifier) @type
    (generic_type type: (_) @type)
  ]))
  (var_definition !type pattern: (identifier) @name value: (instance_expression [
    (type_identifier) @type
    (stable_type_identifier) @type
    (generic_type type: (_) @type)
  ]))
  (val_definition !type pattern: (identifier) @name value: (call_expression function: (identifier) @type))
] @binding
  (#match? @type "^[A-Za-z0-9_.]*\\b[A-Z][A-Za-z0-9_]*$"))
