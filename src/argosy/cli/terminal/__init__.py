"""The user's terminal while a container has it: raw mode, size, detach keys, signals, and the bytes both ways."""
