"""Commands about named daemons, one module a verb."""
