"""The shim: one small process for each container, which holds all that must outlive the daemon.

It is forked from the launcher, single-threaded, and loads nothing after its start. docs/design/runtime-shim.md.
"""
