"""Wire types of the Engine API's requests and the lenient decoder that fills them. Only for api, client and cli.

`decode` turns a body into one of the types; names are the API's by rename, attributes those of the engine's own values.
"""

from argosy.schema.decode import decode, decode_with_fields, parse

__all__ = ["decode", "decode_with_fields", "parse"]
