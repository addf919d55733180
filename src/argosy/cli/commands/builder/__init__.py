"""Commands about builds, one module a verb."""
