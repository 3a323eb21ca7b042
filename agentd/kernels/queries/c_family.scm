; What C and C++ have in common.

; Definitions. A declarator may be wrapped in pointers: int *(*f)(void); up to three of them are followed.
(function_definition
  declarator: (function_declarator declarator: (_) @name)
  body: (_) @body) @definition.function
(function_definition
  declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))
  body: (_) @body) @definition.function
(function_definition
  declarator: (pointer_declarator declarator: (pointer_declarator
    declarator: (function_declarator declarator: (_) @name)))
  body: (_) @body) @definition.function
(struct_specifier name: (_) @name body: (_) @body) @definition.struct
(union_specifier name: (_) @name body: (_) @body) @definition.struct
(enum_specifier name: (_) @name body: (_) @body) @definition.enum
(enumerator name: (identifier) @name) @definition.constant
(type_definition declarator: (type_identifier) @name) @definition.type
(type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @definition.type
(type_definition declarator: (function_declarator
  declarator: (parenthesized_declarator (pointer_declarator declarator: (type_identifier) @name)))) @definition.type
(preproc_def name: (identifier) @name) @definition.constant
(preproc_function_def name: (identifier) @name value: (_) @body) @definition.macro
(field_declaration declarator: (field_identifier) @name) @definition.field
(field_declaration declarator: (pointer_declarator declarator: (field_identifier) @name)) @definition.field
(field_declaration declarator: (array_declarator declarator: (field_identifier) @name)) @definition.field
(translation_unit (declaration declarator: (init_declarator declarator: (identifier) @name)) @definition.variable)
(translation_unit (declaration declarator: (init_declarator
  declarator: (pointer_declarator declarator: (identifier) @name))) @definition.variable)
(translation_unit (declaration declarator: (init_declarator
  declarator: (array_declarator declarator: (identifier) @name))) @definition.variable)
(translation_unit (declaration declarator: (init_declarator
  declarator: (pointer_declarator declarator: (array_declarator declarator: (identifier) @name)))) @definition.variable)

; Calls
(call_expression function: (identifier) @name) @reference.call
(call_expression function: (field_expression argument: (_) @receiver field: (field_identifier) @name)) @reference.call

; Imports: a header brings everything that it declares.
(preproc_include path: (string_literal (string_content) @module) @wildcard) @import
(preproc_include path: (system_lib_string) @module @wildcard) @import

; Bindings
(parameter_declaration type: (_) @type declarator: (identifier) @name) @binding
(parameter_declaration type: (_) @type declarator: (pointer_declarator declarator: (identifier) @name)) @binding
(declaration type: (_) @type declarator: (identifier) @name) @binding
(declaration type: (_) @type declarator: (pointer_declarator declarator: (identifier) @name)) @binding
(declaration type: (_) @type declarator: (init_declarator declarator: (identifier) @name)) @binding
(declaration type: (_) @type declarator: (init_declarator
  declarator: (pointer_declarator declarator: (identifier) @name))) @binding
(field_declaration type: (_) @type declarator: (field_identifier) @name) @binding
(field_declaration type: (_) @type declarator: (pointer_declarator declarator: (field_identifier) @name)) @binding
