"""An image registry: OCI distribution 1.1 over a folder of files. See docs/design/registry.md.

Doors: ``python -m argosy.registry`` (`__main__`), `server.RegistryServer`.
"""
