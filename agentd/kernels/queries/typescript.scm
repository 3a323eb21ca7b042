; inherits: ecma

; Definitions
(abstract_class_declaration name: (_) @name body: (_) @body) @definition.class
(interface_declaration name: (_) @name body: (_) @body) @definition.interface
(enum_declaration name: (_) @name body: (_) @body) @definition.enum
(enum_body (property_identifier) @name @definition.constant)
(enum_assignment name: (property_identifier) @name) @definition.constant
(type_alias_declaration name: (_) @name) @definition.type
(internal_module name: (_) @name body: (_) @body) @definition.module
(module name: (_) @name body: (_) @body) @definition.module
(function_signature name: (_) @name) @definition.function
(method_signature name: (_) @name) @definition.method
(abstract_method_signature name: (_) @name) @definition.method
(property_signature name: (_) @name) @definition.field
(public_field_definition
  name: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition.method
(public_field_definition name: (_) @name) @definition.field

; Bases
(extends_clause value: [(identifier) (member_expression)] @name) @reference.inherits
(implements_clause [(type_identifier) (nested_type_identifier)] @name) @reference.inherits
(implements_clause (generic_type name: (_) @name)) @reference.inherits
(extends_type_clause type: [(type_identifier) (nested_type_identifier)] @name) @reference.inherits
(extends_type_clause type: (generic_type name: (_) @name)) @reference.inherits

; Imports
(import_statement (import_require_clause (identifier) @alias source: (string (string_fragment) @module))) @import

; Bindings
(variable_declarator name: (identifier) @name type: (type_annotation (_) @type)) @binding
(required_parameter pattern: (identifier) @name type: (type_annotation (_) @type)) @binding
(optional_parameter pattern: (identifier) @name type: (type_annotation (_) @type)) @binding
(public_field_definition name: (_) @name type: (type_annotation (_) @type)) @binding
(public_field_definition name: (_) @name !type value: (new_expression constructor: (_) @type)) @binding
