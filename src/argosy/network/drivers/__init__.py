"""How each kind of network is made real: `bridge`, `macvlan` (and ipvlan); `host` and `none` need nothing of the kernel."""
