"""Networks: bridges with their addresses, names, packet rules and published ports.

`controller.Controller` is what the engine uses, `admin.NetworkAdmin` what the API does; docs/design/network.md is the map.
Nothing is imported here: netd, which starts from a path inside this package, stays light.
"""
