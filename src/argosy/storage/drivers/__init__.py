"""Storage drivers: how a stack of layers becomes one tree. `select.select_driver` chooses, `port.Driver` is what they share."""
