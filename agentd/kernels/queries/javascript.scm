; inherits: ecma

; Definitions
(field_definition
  property: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]) @definition.method
(field_definition property: (_) @name) @definition.field

; Bases
(class_declaration (class_heritage [(identifier) (member_expression)] @name)) @reference.inherits
(class (class_heritage [(identifier) (member_expression)] @name)) @reference.inherits

; Bindings
(field_definition property: (_) @name value: (new_expression constructor: (_) @type)) @binding
