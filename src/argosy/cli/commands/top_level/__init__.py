"""Commands that belong to no noun, one module a verb."""
