"""Pull-through: another registry behind this one."""
