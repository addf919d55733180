"""Argosy, a container engine and swarm orchestrator that speaks the Docker Engine API."""

__version__ = "0.1.0"
