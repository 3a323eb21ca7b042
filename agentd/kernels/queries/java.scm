; Definitions
(class_declaration name: (identifier) @name body: (_) @body) @definition.class
(record_declaration name: (identifier) @name body: (_) @body) @definition.class
(interface_declaration name: (identifier) @name body: (_) @body) @definition.interface
(annotation_type_declaration name: (identifier) @name body: (_) @body) @definition.interface
(enum_declaration name: (identifier) @name body: (_) @body) @definition.enum
(method_declaration name: (identifier) @name body: (_) @body) @definition.method
(method_declaration name: (identifier) @name !body) @definition.method
(constructor_declaration name: (identifier) @name body: (_) @body) @definition.method
(compact_constructor_declaration name: (identifier) @name body: (_) @body) @definition.method
(annotation_type_element_declaration name: (identifier) @name) @definition.method
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field
(constant_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.constant
(record_declaration parameters: (formal_parameters (formal_parameter name: (identifier) @name) @definition.field))
(enum_constant name: (identifier) @name body: (_) @body) @definition.class
(enum_constant name: (identifier) @name) @definition.constant

; Calls
(method_invocation !object name: (identifier) @name) @reference.call
(method_invocation object: (_) @receiver name: (identifier) @name) @reference.call
(object_creation_expression type: [(type_identifier) (scoped_type_identifier)] @name) @reference.call
(object_creation_expression type: (generic_type . (_) @name)) @reference.call
(method_reference . (_) @receiver (identifier) @name .) @reference.call

; Bases
(superclass (_) @name) @reference.inherits
(super_interfaces (type_list (_) @name)) @reference.inherits
(extends_interfaces (type_list (_) @name)) @reference.inherits

; Imports
(import_declaration [(identifier) (scoped_identifier)] @module . ";") @import
(import_declaration (_) @module (asterisk) @wildcard) @import

; Bindings: of "var" the type is what is constructed
(local_variable_declaration declarator: (variable_declarator
  name: (identifier) @name
  value: (object_creation_expression type: (_) @type))) @binding
(local_variable_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @name)) @binding
(field_declaration type: (_) @type declarator: (variable_declarator name: (identifier) @name)) @binding
(formal_parameter type: (_) @type name: (identifier) @name) @binding
(enhanced_for_statement type: (_) @type name: (identifier) @name) @binding
(resource type: (_) @type name: (identifier) @name) @binding
