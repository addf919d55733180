"""What this machine offers to containers: what is missing, what follows from that, and the command that mends it."""
