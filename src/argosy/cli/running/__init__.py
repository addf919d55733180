"""What run, create, start, attach and exec share: making a container, being connected to it, waiting for its end."""
