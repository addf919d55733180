"""Hashing of passwords by the system's libcrypt: crypt(3) of libxcrypt, whose methods are in crypt(5) (bcrypt, yescrypt, SHA-crypt, …)."""

import ctypes
import ctypes.util
import functools
import hmac

_DATA_SIZE = 32768
"""``sizeof(struct crypt_data)``, crypt.h of libxcrypt."""


@functools.cache
def _function() -> "ctypes._NamedFuncPointer":
    # CDLL: bcrypt takes tens of milliseconds, in which other threads run.
    name = "libcrypt.so.1"
    try:
        library = ctypes.CDLL(name, use_errno=True)
    except OSError:
        library = ctypes.CDLL(ctypes.util.find_library("crypt") or name, use_errno=True)
    function = library.crypt_rn
    function.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
    function.restype = ctypes.c_char_p
    return function


def available() -> bool:
    """Say whether the system has a libcrypt that can be used."""
    try:
        return _function() is not None
    except (OSError, AttributeError):
        return False


def matches(phrase: bytes, hashed: bytes) -> bool:
    """Say whether a phrase is the one that was hashed. False for hashes of methods that libcrypt does not know.

    Raises OSError or AttributeError without a usable libcrypt; see `available`.
    """
    if b"\0" in phrase or not hashed:
        return False
    data = ctypes.create_string_buffer(_DATA_SIZE)
    found: bytes | None = _function()(phrase, hashed, data, _DATA_SIZE)
    return found is not None and hmac.compare_digest(found, hashed)
