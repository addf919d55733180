"""Stand-ins for the engine, small enough to trust."""
