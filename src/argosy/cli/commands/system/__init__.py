"""Commands about the daemon as a whole, one module a verb."""
