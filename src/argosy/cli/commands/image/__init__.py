"""Commands about images, one module a verb."""
