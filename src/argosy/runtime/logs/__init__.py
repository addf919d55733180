"""Log writers, run inside the shim: output of the program in, records in a file or at a socket out.

Formats: docs/design/logs.md. Standard library only, and of that only what the launcher has loaded anyway.
"""
