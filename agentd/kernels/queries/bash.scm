; Bash. A command may be a function, a program or the shell itself: which, cannot be told here.

; definitions
(function_definition name: (word) @name body: (_) @body) @definition.function
(program (variable_assignment name: (variable_name) @name "=") @definition.variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @definition.variable)

; calls
(command name: (command_name (word) @name)) @reference.call
(command
  name: (command_name (word) @_trap)
  . argument: (word) @name
  (#eq? @_trap "trap")
  (#match? @name "^[A-Za-z_]")) @reference.call

; imports: of "$HERE/lib.sh" the part after the variable
(command
  name: (command_name (word) @_source)
  . argument: [
    (word) @module
    (raw_string) @module
    (string (string_content) @module .)
    (concatenation (word) @module .)
    (concatenation (string (string_content) @module .) .)
  ] @wildcard
  (#any-of? @_source "." "source")) @import
