; C#. Namespaces are what "using" asks for, as packages are elsewhere, so they are no part of a qualified name, whether
; they have a body or cover their file. Indexers and conversion operators have no name to be found by.

; definitions
(class_declaration name: (identifier) @name body: (_)? @body) @definition.class
(record_declaration name: (identifier) @name body: (_)? @body) @definition.class
(struct_declaration name: (identifier) @name body: (_)? @body) @definition.struct
(enum_declaration name: (identifier) @name body: (_)? @body) @definition.enum
(interface_declaration name: (identifier) @name body: (_)? @body) @definition.interface
(delegate_declaration name: (identifier) @name) @definition.type
(method_declaration name: (identifier) @name body: (_)? @body) @definition.method
(constructor_declaration name: (identifier) @name body: (_)? @body) @definition.method
(destructor_declaration name: (identifier) @name body: (_)? @body) @definition.method
(operator_declaration operator: _ @name body: (_)? @body) @definition.method
(local_function_statement name: (identifier) @name body: (_)? @body) @definition.function
(field_declaration
  (modifier "const")
  (variable_declaration (variable_declarator name: (identifier) @name))) @definition.constant
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(event_declaration name: (identifier) @name) @definition.field
(property_declaration name: (identifier) @name accessors: (_)? @body) @definition.field
(record_declaration (parameter_list (parameter name: (identifier) @name) @definition.field))
(enum_member_declaration name: (identifier) @name) @definition.constant

; calls
(invocation_expression function: (identifier) @name) @reference.call
(invocation_expression function: (generic_name (identifier) @name)) @reference.call
(invocation_expression
  function: (member_access_expression
    expression: _ @receiver
    name: [(identifier) @name (generic_name (identifier) @name)])) @reference.call
(invocation_expression
  function: (conditional_access_expression
    condition: _ @receiver
    (member_binding_expression name: [(identifier) @name (generic_name (identifier) @name)]))) @reference.call
(object_creation_expression type: [(identifier) @name (generic_name (identifier) @name)]) @reference.call
(object_creation_expression
  type: (qualified_name
    qualifier: (_) @receiver
    name: [(identifier) @name (generic_name (identifier) @name)])) @reference.call

; bases
(base_list [(identifier) @name (generic_name (identifier) @name)] @reference.inherits)
(base_list
  (qualified_name
    qualifier: (_) @receiver
    name: [(identifier) @name (generic_name (identifier) @name)]) @reference.inherits)
(primary_constructor_base_type
  type: [(identifier) @name (generic_name (identifier) @name)]) @reference.inherits

; imports
(using_directive name: (identifier) @alias [(identifier) (qualified_name)] @module .) @import
(using_directive !name [(identifier) (qualified_name)] @module @wildcard) @import

; bindings
(variable_declaration
  type: [
    (identifier) @type
    (qualified_name) @type
    (generic_name (identifier) @type)
    (nullable_type type: [(identifier) (qualified_name)] @type)
  ]
  (variable_declarator name: (identifier) @name)) @binding
(variable_declaration
  type: (implicit_type)
  (variable_declarator
    name: (identifier) @name
    (object_creation_expression
      type: [(identifier) @type (qualified_name) @type (generic_name (identifier) @type)]))) @binding
(parameter
  type: [
    (identifier) @type
    (qualified_name) @type
    (generic_name (identifier) @type)
    (nullable_type type: [(identifier) (qualified_name)] @type)
  ]
  name: (identifier) @name) @binding
(property_declaration
  type: [
    (identifier) @type
    (qualified_name) @type
    (generic_name (identifier) @type)
    (nullable_type type: [(identifier) (qualified_name)] @type)
  ]
  name: (identifier) @name) @binding
(foreach_statement type: [(identifier) (qualified_name)] @type left: (identifier) @name) @binding
(declaration_pattern type: [(identifier) (qualified_name)] @type name: (identifier) @name) @binding
(catch_declaration type: [(identifier) (qualified_name)] @type name: (identifier) @name) @binding
(assignment_expression
  left: [(identifier) (member_access_expression)] @name
  right: (object_creation_expression
    type: [(identifier) @type (qualified_name) @type (generic_name (identifier) @type)])) @binding
