"""Completion with live names: the shells' scripts ask ``argosy __complete WORD…`` what may stand at the last word."""
