"""A Debian or Ubuntu root file system by debootstrap, for ``argosy image bootstrap``."""
