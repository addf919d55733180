"""Removing what nobody needs, while pushes go on: decided in `mark` and `retention`, done in `sweep`."""
