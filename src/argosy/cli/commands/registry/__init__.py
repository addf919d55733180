"""An image registry of one's own: `argosy-registry` under another name."""
