"""The page for people: repositories, tags, layers. Made whole by the server, without scripts: looked up in `facts`, written in `write`."""
