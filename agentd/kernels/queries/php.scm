; PHP. Namespaces are what "use" asks for, so they are no part of a qualified name, whether they have a body or not.

; definitions
(class_declaration name: (name) @name body: (_)? @body) @definition.class
(interface_declaration name: (name) @name body: (_)? @body) @definition.interface
(trait_declaration name: (name) @name body: (_)? @body) @definition.trait
(enum_declaration name: (name) @name body: (_)? @body) @definition.enum
(function_definition name: (name) @name body: (_) @body) @definition.function
(method_declaration name: (name) @name body: (_)? @body) @definition.method
(const_declaration (const_element . (name) @name)) @definition.constant
(enum_case name: (name) @name) @definition.constant
(property_declaration (property_element name: (variable_name (name) @name))) @definition.field
(property_promotion_parameter name: (variable_name (name) @name)) @definition.field
(function_call_expression
  function: (name) @_define
  arguments: (arguments . (argument (string (string_content) @name)))
  (#eq? @_define "define")) @definition.constant

; calls
(function_call_expression function: (name) @name (#not-eq? @name "define")) @reference.call
(function_call_expression function: (qualified_name (namespace_name) @receiver (name) @name)) @reference.call
(function_call_expression function: (qualified_name . (name) @name)) @reference.call
(member_call_expression object: (_) @receiver name: (name) @name) @reference.call
(nullsafe_member_call_expression object: (_) @receiver name: (name) @name) @reference.call
(scoped_call_expression scope: (_) @receiver name: (name) @name) @reference.call
(object_creation_expression (name) @name) @reference.call
(object_creation_expression (qualified_name (namespace_name) @receiver (name) @name)) @reference.call
(object_creation_expression (qualified_name . (name) @name)) @reference.call

; bases: traits are used in the body
([(class_declaration [(base_clause (name) @name @reference.inherits)
                      (class_interface_clause (name) @name @reference.inherits)])
  (interface_declaration (base_clause (name) @name @reference.inherits))
  (enum_declaration (class_interface_clause (name) @name @reference.inherits))
  (use_declaration (name) @name @reference.inherits)])
([(base_clause (qualified_name (namespace_name) @receiver (name) @name) @reference.inherits)
  (class_interface_clause (qualified_name (namespace_name) @receiver (name) @name) @reference.inherits)
  (use_declaration (qualified_name (namespace_name) @receiver (name) @name) @reference.inherits)])
([(base_clause (qualified_name . (name) @name) @reference.inherits)
  (class_interface_clause (qualified_name . (name) @name) @reference.inherits)
  (use_declaration (qualified_name . (name) @name) @reference.inherits)])

; imports
(namespace_use_clause !alias (qualified_name (namespace_name) @module (name) @name)) @import
(namespace_use_clause (qualified_name (namespace_name) @module (name) @name) alias: (name) @alias) @import
(namespace_use_declaration
  (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause !alias . (name) @name) @import))
(namespace_use_declaration
  (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause . (name) @name alias: (name) @alias) @import))
([(include_expression [(string (string_content) @module @wildcard)
                       (parenthesized_expression (string (string_content) @module @wildcard))
                       (binary_expression right: (string (string_content) @module @wildcard))])
  (include_once_expression [(string (string_content) @module @wildcard)
                            (parenthesized_expression (string (string_content) @module @wildcard))
                            (binary_expression right: (string (string_content) @module @wildcard))])
  (require_expression [(string (string_content) @module @wildcard)
                       (parenthesized_expression (string (string_content) @module @wildcard))
                       (binary_expression right: (string (string_content) @module @wildcard))])
  (require_once_expression [(string (string_content) @module @wildcard)
                            (parenthesized_expression (string (string_content) @module @wildcard))
                            (binary_expression right: (string (string_content) @module @wildcard))])] @import)

; bindings
(simple_parameter
  type: [(named_type) @type (optional_type (named_type) @type)]
  name: (variable_name) @name) @binding
(property_promotion_parameter
  type: [(named_type) @type (optional_type (named_type) @type)]
  name: (variable_name (name) @name)) @binding
(property_declaration
  type: [(named_type) @type (optional_type (named_type) @type)]
  (property_element name: (variable_name (name) @name))) @binding
(catch_clause type: (type_list . (named_type) @type .) name: (variable_name) @name) @binding
(assignment_expression
  left: [(variable_name) (member_access_expression)] @name
  right: (object_creation_expression [(name) (qualified_name)] @type)) @binding
