"""What runs between clone3 and the user's program: operations in order, a gate, rights dropped, execve.

Nothing here imports once the container was entered (`run.Isolation`), and nothing imports more than `argosy.linux`.
"""
