"""A certificate authority for one test, and a TLS listener that trusts it."""

import ssl
from pathlib import Path

import trustme

from argosy.api.listeners import TlsFiles, open_listeners
from fakes.server import Api


class Tls:
    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        certificate, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("client@example.org")
        self.files = TlsFiles(str(directory / "server-cert.pem"), str(directory / "server-key.pem"), str(directory / "ca.pem"))
        certificate.cert_chain_pems[0].write_to_path(self.files.certificate)
        certificate.private_key_pem.write_to_path(self.files.key)
        authority.cert_pem.write_to_path(self.files.ca)
        # The names that the docker CLI looks for in DOCKER_CERT_PATH.
        client.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
        client.private_key_pem.write_to_path(str(directory / "key.pem"))
        self.client_directory = str(directory)
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)
        self.stranger = ssl.create_default_context()
        authority.configure_trust(self.stranger)
        client.configure_cert(self.client)
        self.port = 0


async def listening_with_tls(api: Api, directory: Path) -> Tls:
    """Make the API listen on a free port of 127.0.0.1 with client certificates required."""
    made = Tls(directory)
    (listener,) = open_listeners("tcp://127.0.0.1:0", tls=made.files)
    made.port = listener.socket.getsockname()[1]
    await api.server.listen(listener)
    return made
