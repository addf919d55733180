"""Tar archives and directory trees, without third-party code and with few imports.

What is here runs in workers: processes forked from the launcher and confined to the tree they work on. It is loaded before
the fork and imports nothing later, so it keeps to a handful of standard modules (no typing, dataclasses, asyncio).
"""
