; Definitions. What an impl holds belongs to its type.
(impl_item type: (_) @scope body: (declaration_list
  (function_item name: (identifier) @name body: (_) @body) @definition.method))
(impl_item type: (_) @scope body: (declaration_list (const_item name: (identifier) @name) @definition.constant))
(impl_item type: (_) @scope body: (declaration_list (type_item name: (type_identifier) @name) @definition.type))
(function_item name: (identifier) @name body: (_) @body) @definition.function
(function_signature_item name: (identifier) @name) @definition.function
(struct_item name: (type_identifier) @name body: (field_declaration_list) @body) @definition.struct
(struct_item name: (type_identifier) @name) @definition.struct
(union_item name: (type_identifier) @name body: (_) @body) @definition.struct
(enum_item name: (type_identifier) @name body: (_) @body) @definition.enum
(enum_variant name: (identifier) @name) @definition.constant
(field_declaration name: (field_identifier) @name) @definition.field
(trait_item name: (type_identifier) @name body: (_) @body) @definition.trait
(type_item name: (type_identifier) @name) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(mod_item name: (identifier) @name body: (_) @body) @definition.module
(macro_definition name: (identifier) @name) @definition.macro
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.variable

; Calls
(call_expression function: (identifier) @name) @reference.call
(call_expression function: (field_expression value: (_) @receiver field: (field_identifier) @name)) @reference.call
(call_expression function: (scoped_identifier path: (_) @receiver name: (identifier) @name)) @reference.call
(call_expression function: (generic_function function: (identifier) @name)) @reference.call
(call_expression function: (generic_function
  function: (field_expression value: (_) @receiver field: (field_identifier) @name))) @reference.call
(call_expression function: (generic_function
  function: (scoped_identifier path: (_) @receiver name: (identifier) @name))) @reference.call
(macro_invocation macro: (identifier) @name) @reference.call
(macro_invocation macro: (scoped_identifier path: (_) @receiver name: (identifier) @name)) @reference.call
(struct_expression name: (type_identifier) @name) @reference.call
(struct_expression name: (scoped_type_identifier path: (_) @receiver name: (_) @name)) @reference.call

; Bases: supertraits, and the traits that a type implements.
(trait_item bounds: (trait_bounds [(type_identifier) (scoped_type_identifier) (generic_type)] @name)) @reference.inherits
(impl_item trait: (_) @name type: (_) @scope) @reference.inherits

; Imports
(use_declaration argument: [(identifier) (crate) (self) (super)] @module) @import
(use_declaration argument: (scoped_identifier path: (_) @module name: (_) @name)) @import
(use_declaration argument: (use_as_clause
  path: (scoped_identifier path: (_) @module name: (_) @name)
  alias: (_) @alias)) @import
(use_declaration argument: (use_as_clause path: (identifier) @module alias: (_) @alias)) @import
(use_declaration argument: (use_wildcard (_) @module) @wildcard) @import
(use_declaration argument: [(scoped_use_list) (use_list)] @module) @import
(mod_item name: (identifier) @module !body) @import
(extern_crate_declaration name: (identifier) @module !alias) @import

; Bindings
(let_declaration pattern: (identifier) @name type: (_) @type) @binding
(let_declaration pattern: (identifier) @name !type value: (struct_expression name: (_) @type)) @binding
(let_declaration
  pattern: (identifier) @name
  !type
  value: (call_expression function: (scoped_identifier path: (_) @type))) @binding
(parameter pattern: (identifier) @name type: (_) @type) @binding
(field_declaration name: (field_identifier) @name type: (_) @type) @binding
