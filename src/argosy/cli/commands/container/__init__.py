"""Commands about containers, one module a verb."""
