"""The launcher (zygote): a small single-threaded process from which shims and workers are forked.

Started by the daemon as ``python -I -S -c … --`` with one end of a SOCK_SEQPACKET pair as its standard input.
"""
