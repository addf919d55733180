"""Tar streams of the client: what cp and build send, and what cp takes apart."""
