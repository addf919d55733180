"""Commands about volumes, one module a verb."""
