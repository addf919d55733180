"""``argosy-runtime``: this runtime behind the OCI command line that podman, containerd and dockerd speak.

It needs nothing but the standard library, works by itself (no daemon, no launcher), and its containers' first processes are
children of whoever called it, as conmon and containerd-shim expect.
"""
