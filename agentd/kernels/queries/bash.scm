; Bash. Which words are commands of the system cannot be told here; those of the shell itself are left out.

; definitions
(function_definition name: (word) @name body: (_) @body) @definition.function
(program (variable_assignment name: (variable_name) @name "=") @definition.variable)
(program (declaration_command (variable_assignment name: (variable_name) @name)) @definition.variable)

; calls
(command
  name: (command_name (word) @name)
  (#not-match? @name "^([.:[]|alias|bg|bind|break|builtin|caller|cd|command|compgen|complete|continue|declare|dirs)$")
  (#not-match? @name "^(disown|echo|enable|eval|exec|exit|export|false|fc|fg|getopts|hash|help|history|jobs|kill)$")
  (#not-match? @name "^(let|local|logout|mapfile|popd|printf|pushd|pwd|read|readarray|readonly|return|set|shift)$")
  (#not-match? @name "^(shopt|source|suspend|test|times|trap|true|type|typeset|ulimit|umask|unalias|unset|wait)$")
) @reference.call
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
