"""Hashes as ``htpasswd`` of Apache 2.4 and mkpasswd wrote them for the password ``secret``."""

import pytest

from argosy.linux import crypt
from argosy.registry.auth.htpasswd import Htpasswd, matches, parse

HASHES = {
    "bcrypt": "$2y$04$OilE5h3FEZWAvj1SgG7dKekowYNdVwBmOSRfy.CQALeTqfuxhqLiS",
    "apr1": "$apr1$cl7pJOh2$37iEy32jQwzDgN8llHGVa0",
    "sha1": "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "sha512": "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.",
}


@pytest.mark.parametrize("kind", HASHES)
def test_the_right_password_matches_and_no_other(kind: str) -> None:
    hashed = HASHES[kind].encode()
    assert matches(b"secret", hashed)
    assert not matches(b"Secret", hashed)
    assert not matches(b"", hashed)


@pytest.mark.parametrize("hashed", [b"", b"secret", b"$2y$", b"{SHA}", b"$apr1$", b"*", b"!"])
def test_what_is_no_hash_matches_nothing(hashed: bytes) -> None:
    assert not matches(b"secret", hashed)
    assert not matches(hashed, hashed)


def test_a_phrase_with_a_zero_byte_is_not_cut_there() -> None:
    assert not crypt.matches(b"secret\0more", HASHES["bcrypt"].encode())


def test_comments_and_broken_lines_are_left_out() -> None:
    assert parse("# a:b\n\nann:1\nnothing\n:x\nbob:2:3\n") == {"ann": b"1", "bob": b"2:3"}


def test_a_changed_file_counts_at_once_and_a_right_password_is_remembered(tmp_path) -> None:
    now = [0.0]
    path = tmp_path / "users"
    path.write_text(f"ann:{HASHES['sha1']}\n")
    users = Htpasswd(str(path), monotonic=lambda: now[0])
    assert not users.known("ann", "secret")
    assert users.check("ann", "secret") and not users.check("bob", "secret")
    assert users.known("ann", "secret") and not users.known("ann", "other")
    now[0] = 301.0
    assert not users.known("ann", "secret")
    aside = tmp_path / "aside"
    aside.write_text("bob:" + HASHES["sha1"])
    aside.rename(path)
    assert users.check("bob", "secret") and not users.check("ann", "secret")
