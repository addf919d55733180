"""The registry's files. Everything here is synchronous and meant for a thread; docs/design/registry.md draws the folders."""
