"""netd: one small process for each daemon that outlives it and holds what must not die with it.

DNS sockets inside container namespaces, sockets that reserve published ports, the little proxy for what the packet rules
cannot redirect. `wire` is the protocol, `client` the daemon's side of it; everything else runs in the process itself, on
the standard library alone. See docs/design/network.md.
"""
