"""The words of ``argosy-registry``."""

import argparse
from collections.abc import Sequence
from typing import Any

import argosy

# Flag → (key of the configuration, help). A flag of a list may be given several times.
_TEXT = {
    "--root": ("root", "folder that holds everything (default /var/lib/argosy-registry)"),
    "--log-level": ("log-level", "debug, info, warning or error (default info)"),
    "--tls-cert": ("tls.certificate", "PEM file: serve HTTPS with this certificate chain"),
    "--tls-key": ("tls.key", "PEM file with the certificate's key"),
    "--tls-client-ca": ("tls.client-ca", "PEM file: let in only clients with a certificate of this authority"),
    "--htpasswd": ("auth.htpasswd", "file of users and passwords (htpasswd -B)"),
    "--quota": ("quota.total", "most bytes of the whole registry, as 100g"),
    "--quota-repository": ("quota.repository", "most bytes of one repository, as 10g"),
    "--gc-interval": ("gc.interval", "time between garbage collections, 0 for none (default 24h)"),
    "--gc-grace": ("gc.grace", "how long what nothing refers to is kept (default 1h)"),
    "--proxy": ("proxy.url", "be a pull-through cache of the registry at this URL"),
    "--proxy-user": ("proxy.user", "user there"),
    "--proxy-password-file": ("proxy.password-file", "file whose first line is the password there"),
    "--proxy-ttl": ("proxy.ttl", "how long a tag is believed before it is asked for again (default 1h)"),
}
_SWITCHES = {
    "--read-only": ("read-only", "refuse everything that changes something"),
    "--delete-untagged": ("gc.untagged", "garbage collection also removes manifests that no tag leads to"),
}


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return command, config (path), flags (dotted key → value), words (what follows the command); exits as argparse does on bad usage."""
    parser = argparse.ArgumentParser(
        "argosy-registry", description="An OCI image registry.", epilog="See docs/registry.md for the configuration file."
    )
    parser.add_argument("--version", action="version", version=f"argosy-registry {argosy.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve (what is done without a command, too)")
    gc = commands.add_parser("gc", help="collect garbage once, also while a server works on the same root")
    gc.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    gc.add_argument("--json", action="store_true", help="write one line of JSON")
    for one in (serve, gc):
        _add_flags(one)
    known = ("serve", "gc", "-h", "--help", "--version")
    full = list(words) if words and words[0] in known else ["serve", *words]
    given = parser.parse_args(full)
    given.words = full[1:]
    given.flags = _flags(given)
    return given


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", default="", metavar="FILE", help="TOML file; flags win over it")
    parser.add_argument("--listen", action="append", metavar="HOST:PORT", help="where to serve (default 127.0.0.1:5000); may be repeated")
    parser.add_argument("--anonymous-pull", action="store_true", help="with --htpasswd: who has no password may still pull")
    for flag, (key, words) in _TEXT.items():
        parser.add_argument(flag, dest=key, metavar=key.rpartition(".")[2].upper(), help=words)
    for flag, (key, words) in _SWITCHES.items():
        parser.add_argument(flag, dest=key, action="store_true", help=words)


def _flags(given: argparse.Namespace) -> dict[str, Any]:
    values = vars(given)
    flags: dict[str, Any] = {key: values[key] for key, _ in _TEXT.values() if values.get(key) is not None}
    flags |= {key: True for key, _ in _SWITCHES.values() if values.get(key)}
    if given.listen:
        flags["listen"] = given.listen
    if given.anonymous_pull:
        flags["access"] = [
            {"users": ["anonymous"], "repositories": ["**"], "actions": ["pull"]},
            {"users": ["*"], "repositories": ["**"], "actions": ["pull", "push", "delete"]},
        ]
    return flags
