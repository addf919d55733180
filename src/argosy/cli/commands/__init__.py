"""One package a noun, one module a verb; each module holds a `COMMAND`. The table of them is `argosy.cli.registry`."""
