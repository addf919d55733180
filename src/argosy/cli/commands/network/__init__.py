"""Commands about networks, one module a verb."""
