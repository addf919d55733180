"""Go's text/template as far as ``--format`` of docker's commands uses it (https://pkg.go.dev/text/template).

Fields, pipelines, variables, if/else if/else, with, range with break and continue, comparison, logic, printf, and docker's own
functions. Not served: define, block, template, and calls of methods.

The doors are `parser.parse`, `evaluate.render`, `lexer.TemplateError` and `values`; nothing is imported here, because a plain list
needs none of it.
"""
