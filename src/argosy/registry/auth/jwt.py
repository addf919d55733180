"""JSON Web Tokens (RFC 7515, 7518, 7519) as far as Docker's token authentication uses them: signed by RSA or by elliptic curves."""

import base64
import binascii
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES: Mapping[str, type[ec.EllipticCurve]] = {"256": ec.SECP256R1, "384": ec.SECP384R1, "512": ec.SECP521R1}
_JWK_CURVES: Mapping[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class BadToken(Exception):
    """A token that is not to be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    key: Key
    id: str = ""
    """``kid``; a key without one is tried for every token."""


def decode(text: bytes | str) -> bytes:
    """Return what base64url without padding holds. Raises BadToken."""
    data = text.encode() if isinstance(text, str) else text
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("it is not base64url") from error


def claims(token: str, keys: Iterable[TrustedKey], authorities: Iterable[x509.Certificate]) -> dict[str, Any]:
    """Return the claims of a token that a trusted key has signed. Raises BadToken. Times are not looked at."""
    parts = token.encode().split(b".")
    if len(parts) != 3:
        raise BadToken("it does not have three parts")
    header, payload = _object(parts[0]), _object(parts[1])
    signature, signed = decode(parts[2]), parts[0] + b"." + parts[1]
    algorithm = str(header.get("alg", ""))
    # "none" and HS256 are not among these: what the sender chooses is only how its trusted key has signed.
    if algorithm[:2] not in ("RS", "ES") or algorithm[2:] not in _HASHES:
        raise BadToken(f"algorithm {algorithm!r} is not accepted")
    if not any(_verifies(key, algorithm, signature, signed) for key in _candidates(header, keys, list(authorities))):
        raise BadToken("no trusted key has signed it")
    return payload


def _object(part: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(decode(part))
    except msgspec.DecodeError as error:
        raise BadToken("it is not JSON") from error
    if not isinstance(value, dict):
        raise BadToken("it is no object")
    return value


def _candidates(header: Mapping[str, Any], keys: Iterable[TrustedKey], authorities: list[x509.Certificate]) -> Iterable[Key]:
    kid = str(header.get("kid", ""))
    known = list(keys)
    named = [trusted.key for trusted in known if trusted.id and trusted.id == kid]
    yield from named
    if not named:
        # Docker's registry names keys by a fingerprint of its own; whoever trusts a certificate trusts its key whatever it is called.
        yield from (trusted.key for trusted in known if not trusted.id)
    chain = header.get("x5c")
    if isinstance(chain, list) and chain:
        yield from _chained([str(item) for item in chain], authorities)


def _chained(chain: list[str], authorities: list[x509.Certificate]) -> Iterable[Key]:
    """Yield the key of the first certificate when the chain leads to an authority."""
    try:
        certificates = [x509.load_der_x509_certificate(base64.b64decode(item)) for item in chain[:5]]
    except (binascii.Error, ValueError):
        return
    for below, above in itertools.pairwise(certificates):
        if not _issued(below, above):
            return
    last = certificates[-1]
    key = certificates[0].public_key()
    if any(last == authority or _issued(last, authority) for authority in authorities) and isinstance(key, Key):
        yield key


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        limits = above.extensions.get_extension_for_class(x509.BasicConstraints).value
        below.verify_directly_issued_by(above)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return limits.ca


def _verifies(key: Key, algorithm: str, signature: bytes, signed: bytes) -> bool:
    size = algorithm[2:]
    try:
        if algorithm.startswith("RS") and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[size]())
            return True
        if algorithm.startswith("ES") and isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES[size]):
            half = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * half:
                return False
            pair = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
            key.verify(pair, signed, ec.ECDSA(_HASHES[size]()))
            return True
    except InvalidSignature:
        return False
    return False


def keys_of_set(data: bytes) -> list[TrustedKey]:
    """Return the keys of a JSON Web Key Set (RFC 7517). Raises BadToken for what is none."""
    try:
        entries = msgspec.json.decode(data)["keys"]
        return [key for entry in entries if (key := _from_jwk(entry)) is not None]
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise BadToken(f"it is no key set: {error}") from error


def _from_jwk(entry: Mapping[str, Any]) -> TrustedKey | None:
    name = str(entry.get("kid", ""))
    if entry.get("kty") == "RSA":
        numbers = rsa.RSAPublicNumbers(int.from_bytes(decode(entry["e"])), int.from_bytes(decode(entry["n"])))
        return TrustedKey(numbers.public_key(), name)
    if entry.get("kty") == "EC" and entry.get("crv") in _JWK_CURVES:
        curve = _JWK_CURVES[entry["crv"]]()
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(decode(entry["x"])), int.from_bytes(decode(entry["y"])), curve)
        return TrustedKey(point.public_key(), name)
    return None
