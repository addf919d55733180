"""The client side of registries: OCI distribution v1.1 and Docker's registry API v2. The door is `service.Distribution`."""
