; inherits: c_family

; Definitions
(class_specifier name: (_) @name body: (_) @body) @definition.class
(namespace_definition name: (_) @name body: (_) @body) @definition.module
(concept_definition name: (identifier) @name) @definition.type
(alias_declaration name: (type_identifier) @name) @definition.type
(function_definition
  declarator: (reference_declarator (function_declarator declarator: (_) @name))
  body: (_) @body) @definition.function
(function_definition declarator: (function_declarator declarator: (_) @name) (default_method_clause)) @definition.function
(function_definition declarator: (function_declarator declarator: (_) @name) (delete_method_clause)) @definition.function
(field_declaration declarator: (function_declarator declarator: (_) @name)) @definition.method
(field_declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))) @definition.method
(field_declaration declarator: (reference_declarator (function_declarator declarator: (_) @name))) @definition.method
(field_declaration_list (declaration declarator: (function_declarator declarator: (_) @name)) @definition.method)
(declaration_list (declaration declarator: (init_declarator declarator: (identifier) @name)) @definition.variable)
(template_declaration) @extent

; Calls
(call_expression function: (qualified_identifier
  scope: (_) @receiver
  name: (template_function name: (identifier) @name))) @reference.call
(call_expression function: (qualified_identifier name: [(identifier) (qualified_identifier)]) @name) @reference.call
(call_expression function: (template_function name: (identifier) @name)) @reference.call
(new_expression type: (_) @name) @reference.call

; Bases
(base_class_clause [(type_identifier) (qualified_identifier) (template_type)] @name) @reference.inherits

; Imports
(using_declaration "namespace" (_) @module @wildcard) @import

; Bindings
(declaration type: (placeholder_type_specifier) declarator: (init_declarator
  declarator: [(identifier) @name (pointer_declarator declarator: (identifier) @name)]
  value: [(new_expression type: (_) @type) (call_expression function: [(identifier) (qualified_identifier)] @type)]))
@binding
(parameter_declaration type: (_) @type declarator: (reference_declarator (identifier) @name)) @binding
(declaration type: (_) @type declarator: (init_declarator
  declarator: (reference_declarator (identifier) @name))) @binding
