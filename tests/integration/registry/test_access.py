"""Passwords, rights, tokens of a token server, TLS, read-only, quotas."""

import base64
import datetime
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from support.registry import Client, Server, small_image

Start = Callable[..., Server]
SECRET = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
"""``secret``, in a form that costs no time."""
RULES = """
[[access]]
users = ["ann"]
repositories = ["**"]
actions = ["pull", "push", "delete"]
[[access]]
users = ["bob", "*"]
repositories = ["team/*"]
actions = ["pull"]
"""
ANONYMOUS = '[[access]]\nusers = ["anonymous"]\nrepositories = ["public/**"]\nactions = ["pull"]\n'


@pytest.fixture
def guarded(serve: Start, tmp_path: Path) -> Callable[..., Server]:
    """A registry with the users ann and bob and access rules."""
    users = tmp_path / "users"
    users.write_text(f"ann:{SECRET}\nbob:{SECRET}\n")

    def start(rules: str, *flags: str) -> Server:
        config = tmp_path / "registry.toml"
        config.write_text(rules)
        return serve("--config", str(config), "--htpasswd", str(users), *flags)

    return start


class TestPasswords:
    def test_without_one_nothing_is_told(self, guarded: Any) -> None:
        client = guarded("").client()
        for path in ("/v2/", "/v2/_catalog", "/v2/team/app/tags/list", "/", "/metrics"):
            reply = client.get(path).expect(401)
            assert reply.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert client.get("/v2/").code == "UNAUTHORIZED"
        assert client.begin("team/app").expect(401).code == "UNAUTHORIZED"

    @pytest.mark.parametrize(("user", "password"), [("ann", "wrong"), ("eve", "secret"), ("ann", "")])
    def test_a_wrong_one_is_refused(self, guarded: Any, user: str, password: str) -> None:
        guarded("").client(user=user, password=password).get("/v2/").expect(401)

    def test_without_rules_every_user_may_everything(self, guarded: Any) -> None:
        client = guarded("").client(user="bob", password="secret")
        client.push_image("team/app", "v1")
        client.request("DELETE", "/v2/team/app/manifests/v1").expect(202)

    def test_rules_say_who_may_do_what(self, guarded: Any) -> None:
        server = guarded(RULES)
        ann, bob = server.client(user="ann", password="secret"), server.client(user="bob", password="secret")
        ann.push_image("team/app", "v1")
        ann.push_image("secret/app", "v1")
        bob.manifest("team/app", "v1").expect(200)
        assert bob.begin("team/app").expect(403).code == "DENIED"
        bob.request("DELETE", "/v2/team/app/manifests/v1").expect(403)
        bob.manifest("secret/app", "v1").expect(403)
        assert bob.get("/v2/_catalog").json()["repositories"] == ["team/app"]
        assert ann.get("/v2/_catalog").json()["repositories"] == ["secret/app", "team/app"]
        assert b"secret/app" not in bob.get("/").body
        bob.get("/r/secret/app").expect(404)

    def test_a_mount_does_not_reach_where_its_user_may_not_pull(self, guarded: Any) -> None:
        own = '[[access]]\nusers = ["bob"]\nrepositories = ["bob/**"]\nactions = ["pull", "push"]\n'
        server = guarded(RULES + own)
        ann, bob = server.client(user="ann", password="secret"), server.client(user="bob", password="secret")
        digest = ann.push_blob("secret/app", b"not for bob")
        bob.begin("bob/app", f"?mount={digest}&from=secret/app").expect(202)
        bob.begin("bob/app", f"?mount={digest}").expect(202)
        bob.get(f"/v2/bob/app/blobs/{digest}").expect(404)

    def test_what_is_for_everybody_is_pulled_by_a_token_for_nobody(self, guarded: Any) -> None:
        """docker asks /v2/ first, and would never send a password to a registry that answers 200 there."""
        server = guarded(RULES + ANONYMOUS)
        ann = server.client(user="ann", password="secret")
        ann.push_image("public/app", "v1")
        ann.push_image("team/app", "v1")
        challenge = server.client().get("/v2/").expect(401).headers["WWW-Authenticate"]
        assert challenge == f'Bearer realm="http://{server.address}/token",service="{server.address}"'
        nobody = Client(server.address, token=server.client().get("/token?service=x").expect(200).json()["token"])
        nobody.get("/v2/").expect(200)
        nobody.manifest("public/app", "v1").expect(200)
        refused = nobody.manifest("team/app", "v1").expect(401)
        assert 'scope="repository:team/app:pull"' in refused.headers["WWW-Authenticate"]
        assert nobody.get("/v2/_catalog").json()["repositories"] == ["public/app"]
        somebody = Client(server.address, token=ann.get("/token").json()["token"])
        somebody.push_image("team/other", "v1")
        ann.get("/v2/").expect(200)
        server.client(user="ann", password="wrong").get("/token").expect(401)
        Client(server.address, token="bm9uc2Vuc2U=").get("/v2/").expect(401)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_token(key: Any, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    now = int(time.time())
    payload = {"iss": "auth", "sub": "ann", "aud": "registry", "exp": now + 300, "nbf": now, "access": [], **claims}
    text = ".".join(encode(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": algorithm, **(header or {})}, payload))
    if isinstance(key, rsa.RSAPrivateKey):
        return f"{text}.{encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encode(r.to_bytes(32) + s.to_bytes(32))}"


def certify(key: Any) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "token server")])
    today = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    return builder.not_valid_before(today).not_valid_after(today + datetime.timedelta(days=1)).sign(key, hashes.SHA256())


def access(name: str, *actions: str) -> list[dict[str, Any]]:
    return [{"type": "repository", "name": name, "actions": list(actions)}]


KEYS = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}


class TestTokens:
    @pytest.fixture(params=["RS256", "ES256", "jwks"])
    def key(self, request: pytest.FixtureRequest) -> Any:
        return request.param

    @pytest.fixture
    def server(self, serve: Start, tmp_path: Path, key: str) -> Server:
        config = tmp_path / "registry.toml"
        if key == "jwks":
            numbers = KEYS["ES256"].public_key().public_numbers()
            entry = {"kty": "EC", "crv": "P-256", "kid": "one", "x": encode(numbers.x.to_bytes(32)), "y": encode(numbers.y.to_bytes(32))}
            (tmp_path / "keys").write_text(json.dumps({"keys": [entry]}))
            source = f'jwks = "{tmp_path}/keys"'
        else:
            (tmp_path / "certificate").write_bytes(certify(KEYS[key]).public_bytes(Encoding.PEM))
            source = f'certificates = ["{tmp_path}/certificate"]'
        config.write_text(f'[auth.token]\nrealm = "https://auth.example/token"\nservice = "registry"\nissuer = "auth"\n{source}\n')
        return serve("--config", str(config))

    def sign(self, key: str, **claims: Any) -> str:
        return make_token(KEYS["ES256" if key == "jwks" else key], header={"kid": "one"} if key == "jwks" else None, **claims)

    def test_who_has_none_is_told_where_to_get_one(self, server: Server) -> None:
        base = server.client().get("/v2/").expect(401)
        assert base.headers["WWW-Authenticate"] == 'Bearer realm="https://auth.example/token",service="registry"'
        push = server.client().begin("team/app").expect(401)
        assert push.headers["WWW-Authenticate"].endswith(',scope="repository:team/app:pull,push"')

    def test_a_token_says_what_its_bearer_may(self, server: Server, key: str) -> None:
        pusher = server.client(token=self.sign(key, access=access("team/app", "pull", "push")))
        pusher.push_image("team/app", "v1")
        puller = server.client(token=self.sign(key, access=access("team/app", "pull")))
        puller.manifest("team/app", "v1").expect(200)
        refused = puller.begin("team/app").expect(401)
        assert refused.headers["WWW-Authenticate"].endswith(',error="insufficient_scope"')
        puller.manifest("team/other", "v1").expect(401)
        assert puller.get("/v2/_catalog").json()["repositories"] == ["team/app"]
        server.client(token=self.sign(key, access=access("team/app", "*"))).request("DELETE", "/v2/team/app/manifests/v1").expect(202)

    @pytest.mark.parametrize(
        "claims", [{"iss": "other"}, {"aud": "other"}, {"exp": 1000}, {"exp": None}, {"nbf": 2**40}, {"aud": ["a", "b"]}], ids=str
    )
    def test_a_token_for_others_or_out_of_time_is_refused(self, server: Server, key: str, claims: dict[str, Any]) -> None:
        refused = server.client(token=self.sign(key, access=access("team/app", "pull"), **claims)).get("/v2/").expect(401)
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]

    def test_another_key_or_no_signature_is_refused(self, server: Server, key: str) -> None:
        other = rsa.generate_private_key(65537, 2048) if key == "RS256" else ec.generate_private_key(ec.SECP256R1())
        server.client(token=make_token(other)).get("/v2/").expect(401)
        own = make_token(other, header={"x5c": [base64.b64encode(certify(other).public_bytes(Encoding.DER)).decode()]})
        server.client(token=own).get("/v2/").expect(401)
        good = self.sign(key)
        head, body, signature = good.split(".")
        for alg in ("none", "HS256"):
            forged = encode(json.dumps({"typ": "JWT", "alg": alg}).encode())
            for sign in ("", signature):
                server.client(token=f"{forged}.{body}.{sign}").get("/v2/").expect(401)
        changed = encode(json.dumps({"iss": "auth", "aud": "registry", "exp": 2**40, "access": access("team/app", "*")}).encode())
        server.client(token=f"{head}.{changed}.{signature}").get("/v2/").expect(401)
        server.client(token=good).get("/v2/").expect(200)


class TestTls:
    def test_content_goes_over_tls_and_clients_show_certificates(self, serve: Start, tmp_path: Path) -> None:
        authority = trustme.CA()
        mine = authority.issue_cert("localhost", "127.0.0.1")
        mine.private_key_pem.write_to_path(tmp_path / "key.pem")
        for number, blob in enumerate(mine.cert_chain_pems):
            blob.write_to_path(tmp_path / "cert.pem", append=number > 0)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        flags = [
            "--tls-cert",
            str(tmp_path / "cert.pem"),
            "--tls-key",
            str(tmp_path / "key.pem"),
            "--tls-client-ca",
            str(tmp_path / "ca.pem"),
        ]
        server = serve(*flags)
        assert server.scheme == "https"
        context = ssl.create_default_context()
        authority.configure_trust(context)
        with pytest.raises((OSError, ssl.SSLError)):
            server.client(tls=context).get("/v2/")
        authority.issue_cert("client@example.com").configure_cert(context)
        client = server.client(tls=context)
        client.push_image("team/app", "v1")
        data = bytes(5_000_000)
        digest = client.push_blob("team/app", data)
        assert client.get(f"/v2/team/app/blobs/{digest}").body == data
        assert client.get(f"/v2/team/app/blobs/{digest}", Range="bytes=1000000-1999999").expect(206).body == data[:1_000_000]


class TestLimits:
    def test_a_read_only_registry_is_read(self, serve: Start) -> None:
        server = serve()
        image = server.client().push_image("team/app", "v1")
        server.stop()
        client = serve("--read-only").client()
        assert client.manifest("team/app", "v1").body == image.manifest
        assert client.begin("team/app").expect(405).code == "UNSUPPORTED"
        client.put_manifest("team/app", "v2", image.manifest).expect(405)
        client.request("DELETE", "/v2/team/app/manifests/v1").expect(405)

    def test_a_quota_of_repositories(self, serve: Start) -> None:
        client = serve("--quota-repository", "1m").client()
        client.push_blob("team/app", bytes(900_000))
        reply = client.request("POST", "/v2/team/app/blobs/uploads/", body=bytes(300_000)).expect(413)
        assert reply.code == "DENIED" and b"quota of the repository team/app exceeded" in reply.body
        location = client.begin("team/app").expect(202).location
        client.request("PATCH", location, body=bytes(300_000)).expect(413)
        streamed = (bytes(100_000) for _ in range(3))
        client.request("PATCH", location, body=streamed, Transfer_Encoding="chunked").expect(413)
        assert client.get(location).expect(204).headers["Range"] == "0-0"
        client.push_blob("team/other", bytes(300_000))
        client.push_blob("team/app", bytes(100_000))

    def test_a_quota_of_all(self, serve: Start) -> None:
        client = serve("--quota", "1m").client()
        client.push_blob("team/app", bytes(900_000))
        assert b"quota of the registry exceeded" in client.request("POST", "/v2/x/blobs/uploads/", body=bytes(300_000)).expect(413).body

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("nonsense = 1", "nonsense"),
            ('[gc]\ngrace = "soon"', "gc.grace"),
            ('[quota]\ntotal = "much"', "quota.total"),
            ("[[retention]]\ntags = 'x'", "retention"),
            ("root = ", "Invalid value"),
        ],
    )
    def test_a_wrong_configuration_is_told(self, tmp_path: Path, text: str, words: str) -> None:
        config = tmp_path / "registry.toml"
        config.write_text(text)
        done = subprocess.run([sys.executable, "-m", "argosy.registry", "--config", str(config)], capture_output=True, text=True)
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr


class TestPage:
    def test_a_tag_is_deleted_by_who_may_and_knows_the_secret(self, guarded: Any) -> None:
        server = guarded(RULES)
        ann, bob = server.client(user="ann", password="secret"), server.client(user="bob", password="secret")
        ann.push_image("team/app", "v1", "b")
        page = ann.get("/r/team/app").expect(200).body.decode()
        secret = page.split('name="secret" value="')[1].split('"')[0]
        assert 'name="secret"' not in bob.get("/r/team/app").expect(200).body.decode()
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        for client, body in ((bob, f"tag=v1&secret={secret}"), (ann, "tag=v1&secret=guess"), (ann, "tag=v1")):
            client.request("POST", "/r/team/app", body=body.encode(), **form).expect(403)
        ann.request("POST", "/r/team/app", body=f"tag=v1&secret={secret}".encode(), **form).expect(303)
        ann.manifest("team/app", "v1").expect(404)
        ann.manifest("team/app", "b").expect(200)

    def test_what_others_chose_is_no_html(self, serve: Start) -> None:
        client = serve().client()
        image = small_image("x", annotations={"<script>": "<img onerror=1>"})
        for blob in image.blobs:
            client.push_blob("team/app", blob)
        client.put_manifest("team/app", "v1", image.manifest).expect(201)
        for path in ("/", "/r/team/app", "/r/team/app:v1", "/?q=%3Cscript%3E", "/r/team/app?deleted=%3Cscript%3E"):
            reply = client.get(path).expect(200)
            assert b"<script" not in reply.body and b"<img" not in reply.body
            assert "default-src 'none'" in reply.headers["Content-Security-Policy"]

    def test_metrics_count_requests(self, serve: Start) -> None:
        client = serve().client()
        client.push_image("team/app", "v1")
        client.manifest("team/app", "absent")
        text = client.get("/metrics").expect(200).body.decode()
        assert 'argosy_registry_requests_total{method="GET",noun="manifest",status="404"} 1' in text
        assert "argosy_registry_repositories 1\n" in text
