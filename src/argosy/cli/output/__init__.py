"""How results are shown: tables that fit, templates, JSON, YAML, progress."""
