; Definitions. Only what a module or a class holds is a variable; the locals of functions are not symbols.
(class_definition name: (identifier) @name body: (_) @body) @definition.class
(function_definition name: (identifier) @name body: (_) @body) @definition.function
(decorated_definition) @extent
(type_alias_statement left: (type (identifier) @name)) @definition.type
(module (expression_statement (assignment left: (identifier) @name) @definition.variable))
(module (expression_statement (assignment left: (pattern_list (identifier) @name)) @definition.variable))
(module (if_statement (block (expression_statement (assignment left: (identifier) @name) @definition.variable))))
(module (try_statement (block (expression_statement (assignment left: (identifier) @name) @definition.variable))))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @definition.field)))

; Calls
(call function: [(identifier) @name (attribute) @path]) @reference.call
(decorator [(identifier) @name (attribute) @path]) @reference.call

; Bases
(class_definition superclasses: (argument_list [(identifier) (attribute)] @name)) @reference.inherits
(class_definition superclasses: (argument_list (subscript value: (_) @name))) @reference.inherits

; Imports
(import_statement name: (dotted_name) @module) @import
(import_statement name: (aliased_import name: (dotted_name) @module alias: (identifier) @alias)) @import
(import_from_statement module_name: (_) @module name: (dotted_name) @name) @import
(import_from_statement
  module_name: (_) @module
  name: (aliased_import name: (dotted_name) @name alias: (identifier) @alias)) @import
(import_from_statement module_name: (_) @module (wildcard_import) @wildcard) @import

; Bindings
(assignment left: [(identifier) (attribute)] @name type: (type) @type) @binding
(assignment left: [(identifier) (attribute)] @name !type right: (call function: [(identifier) (attribute)] @type)) @binding
(typed_parameter . (identifier) @name type: (type) @type) @binding
(typed_default_parameter name: (identifier) @name type: (type) @type) @binding
(with_item value: (as_pattern
  (call function: [(identifier) (attribute)] @type)
  alias: (as_pattern_target (identifier) @name))) @binding
(named_expression name: (identifier) @name value: (call function: [(identifier) (attribute)] @type)) @binding
