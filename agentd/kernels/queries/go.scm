; Definitions. A method stands beside its type: the receiver says which.
(function_declaration name: (identifier) @name body: (_) @body) @definition.function
(function_declaration name: (identifier) @name) @definition.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @scope
    (generic_type type: (type_identifier) @scope)
    (pointer_type [(type_identifier) @scope (generic_type type: (type_identifier) @scope)])]))
  name: (field_identifier) @name
  body: (_) @body) @definition.method
(type_spec name: (type_identifier) @name type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec name: (type_identifier) @name type: (interface_type)) @definition.interface
(type_spec name: (type_identifier) @name) @definition.type
(type_alias name: (type_identifier) @name) @definition.type
(interface_type (method_elem name: (field_identifier) @name) @definition.method)
(type_spec type: (struct_type (field_declaration_list
  (field_declaration name: (field_identifier) @name) @definition.field)))
(source_file (const_declaration (const_spec name: (identifier) @name) @definition.constant))
(source_file (var_declaration (var_spec name: (identifier) @name) @definition.variable))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @definition.variable)))
(type_declaration "type" . (_) .) @extent
(const_declaration "const" . (_) .) @extent
(var_declaration "var" . (_) .) @extent

; Calls. A composite literal is how Go constructs.
(call_expression function: (identifier) @name) @reference.call
(call_expression function: (selector_expression operand: (_) @receiver field: (_) @name)) @reference.call
(composite_literal type: (type_identifier) @name) @reference.call
(composite_literal type: (qualified_type package: (_) @receiver name: (_) @name)) @reference.call

; Bases: what a struct or an interface embeds.
(field_declaration !name type: [(type_identifier) (qualified_type) (generic_type)] @name) @reference.inherits
(field_declaration !name type: (pointer_type [(type_identifier) (qualified_type)] @name)) @reference.inherits
(interface_type (type_elem . [(type_identifier) (qualified_type)] @name .)) @reference.inherits

; Imports
(import_spec !name path: (_) @module) @import
(import_spec name: (package_identifier) @alias path: (_) @module) @import
(import_spec name: (dot) @wildcard path: (_) @module) @import

; Bindings
(parameter_declaration name: (identifier) @name type: (_) @type) @binding
(var_spec name: (identifier) @name type: (_) @type) @binding
(field_declaration name: (field_identifier) @name type: (_) @type) @binding
(short_var_declaration
  left: (expression_list . (identifier) @name .)
  right: (expression_list . [
    (composite_literal type: (_) @type)
    (unary_expression operand: (composite_literal type: (_) @type))] .)) @binding
