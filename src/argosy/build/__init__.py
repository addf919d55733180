"""Images from Dockerfiles: grammar, plan, cache and the solver that carries it out. docs/design/build.md."""
