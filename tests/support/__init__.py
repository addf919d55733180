"""What several parts of the tests share: a daemon of their own, root filesystems, results in one form."""
