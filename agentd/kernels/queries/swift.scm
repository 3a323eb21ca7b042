; Swift. Class, struct, enum, actor and extension are one node; an extension adds members to a type that is defined
; elsewhere, so it is a scope and no definition.

; definitions
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (function_declaration "func" . name: _ @name body: (_)? @body) @definition.method))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (init_declaration name: "init" @name body: (_)? @body) @definition.method))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (subscript_declaration "subscript" @name (computed_property)? @body) @definition.method))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (property_declaration
      name: (pattern bound_identifier: (simple_identifier) @name)
      [(computed_property) (willset_didset_block)]? @body) @definition.field))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (typealias_declaration name: (type_identifier) @name) @definition.type))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (class_declaration
      declaration_kind: ["class" "actor"]
      name: (type_identifier) @name
      body: (_) @body) @definition.class))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (class_declaration declaration_kind: "struct" name: (type_identifier) @name body: (_) @body) @definition.struct))
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  body: (class_body
    (class_declaration declaration_kind: "enum" name: (type_identifier) @name body: (_) @body) @definition.enum))
(class_declaration declaration_kind: ["class" "actor"] name: (type_identifier) @name body: (_) @body) @definition.class
(class_declaration declaration_kind: "struct" name: (type_identifier) @name body: (_) @body) @definition.struct
(class_declaration declaration_kind: "enum" name: (type_identifier) @name body: (_) @body) @definition.enum
(protocol_declaration name: (type_identifier) @name body: (_) @body) @definition.interface
(typealias_declaration name: (type_identifier) @name) @definition.type
(associatedtype_declaration name: (type_identifier) @name) @definition.type
(macro_declaration (simple_identifier) @name) @definition.macro
(function_declaration "func" . name: _ @name body: (_)? @body) @definition.function
(protocol_function_declaration name: (simple_identifier) @name) @definition.method
(init_declaration name: "init" @name body: (_)? @body) @definition.method
(deinit_declaration "deinit" @name body: (_) @body) @definition.method
(subscript_declaration "subscript" @name (computed_property)? @body) @definition.method
(source_file
  (property_declaration
    name: (pattern bound_identifier: (simple_identifier) @name)
    [(computed_property) (willset_didset_block)]? @body) @definition.variable)
(class_body
  (property_declaration
    name: (pattern bound_identifier: (simple_identifier) @name)
    [(computed_property) (willset_didset_block)]? @body) @definition.field)
(enum_class_body
  (property_declaration
    name: (pattern bound_identifier: (simple_identifier) @name)
    [(computed_property) (willset_didset_block)]? @body) @definition.field)
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.field
(enum_entry name: (simple_identifier) @name) @definition.constant

; calls: items[0] is a call_expression, too
(call_expression . (simple_identifier) @name (call_suffix [(value_arguments "(") (lambda_literal)])) @reference.call
(call_expression
  . (navigation_expression
    target: (_) @receiver
    suffix: (navigation_suffix suffix: (simple_identifier) @name))
  (call_suffix [(value_arguments "(") (lambda_literal)])) @reference.call
(constructor_expression constructed_type: (user_type (type_identifier) @name . (type_arguments)? .)) @reference.call

; bases
(class_declaration
  declaration_kind: "extension"
  name: (user_type) @scope
  (inheritance_specifier inherits_from: (user_type (type_identifier) @name . (type_arguments)? .))) @reference.inherits
(class_declaration
  name: (type_identifier)
  (inheritance_specifier inherits_from: (user_type (type_identifier) @name . (type_arguments)? .)) @reference.inherits)
(protocol_declaration
  (inheritance_specifier inherits_from: (user_type (type_identifier) @name . (type_arguments)? .)) @reference.inherits)

; imports
(import_declaration (identifier) @module @wildcard) @import

; bindings: a call of a capitalised name constructs
(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)
  . (type_annotation [
    (user_type (type_identifier) @type . (type_arguments)? .)
    (optional_type (user_type (type_identifier) @type . (type_arguments)? .))
  ])) @binding
(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)
  . value: (constructor_expression
    constructed_type: (user_type (type_identifier) @type . (type_arguments)? .))) @binding
(property_declaration
  name: (pattern bound_identifier: (simple_identifier) @name)
  . value: (call_expression . [(simple_identifier) (navigation_expression)] @type)
  (#match? @type "^([A-Z][A-Za-z0-9]*)([.][A-Z][A-Za-z0-9]*)*$")) @binding
(parameter
  name: (simple_identifier) @name
  . (parameter_modifiers)? . [
    (user_type (type_identifier) @type . (type_arguments)? .)
    (optional_type (user_type (type_identifier) @type . (type_arguments)? .))
  ]) @binding
(assignment
  target: (directly_assignable_expression) @name
  result: (call_expression . [(simple_identifier) (navigation_expression)] @type)
  (#match? @type "^([A-Z][A-Za-z0-9]*)([.][A-Z][A-Za-z0-9]*)*$")) @binding
