"""libnftables (libnftables(3)) through ctypes: one transaction for each script, nothing started.

A context talks to the network namespace in which it was made. Making one costs 40 µs, a map element half a millisecond.
"""

import ctypes
import ctypes.util
from functools import cache

_OUTPUT_JSON = 1 << 4
_OUTPUT_HANDLE = 1 << 3


class NftError(Exception):
    """libnftables refused a script; the message is its own."""


class NftUnavailable(NftError):
    """libnftables is not installed."""


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libnftables.so.1", use_errno=True)
    except OSError as error:
        raise NftUnavailable("libnftables.so.1 is missing: install the package libnftables1") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_free.argtypes = [ctypes.c_void_p]
    library.nft_ctx_buffer_output.argtypes = [ctypes.c_void_p]
    library.nft_ctx_buffer_error.argtypes = [ctypes.c_void_p]
    library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        function = getattr(library, name)
        function.argtypes = [ctypes.c_void_p]
        function.restype = ctypes.c_char_p
    return library


class Nftables:
    """One context; not for two threads at once."""

    def __init__(self, *, json: bool = False) -> None:
        self._library = _library()
        self._context = self._library.nft_ctx_new(0)
        if not self._context:
            raise NftError("cannot make an nftables context")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)
        if json:
            self._library.nft_ctx_output_set_flags(self._context, _OUTPUT_JSON | _OUTPUT_HANDLE)

    def __enter__(self) -> "Nftables":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = None

    def run(self, script: str) -> str:
        """Apply the script as one transaction and return what it printed. Raises NftError; then nothing was changed."""
        result = self._library.nft_run_cmd_from_buffer(self._context, script.encode())
        output: bytes = self._library.nft_ctx_get_output_buffer(self._context)
        if result:
            error: bytes = self._library.nft_ctx_get_error_buffer(self._context)
            raise NftError(error.decode(errors="replace").strip())
        return output.decode(errors="replace")
