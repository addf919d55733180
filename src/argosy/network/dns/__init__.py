"""Names inside user-defined networks: `message` is the codec, `names` decides what is answered. Both pure; netd does the rest."""
