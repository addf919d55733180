"""``images --tree`` as Docker 28.5 prints it, but for its warning and with its colours off."""

from typing import Any

from argosy.cli.output.tree import render

DOCKER = """\
                                                              Info ->  U In Use\x20

IMAGE                           ID             DISK USAGE   CONTENT SIZE   EXTRA
single:1                        2227dad397df       8.98kB           789B        
└─ linux/amd64                  2227dad397df       8.98kB           789B        

averyveryverylongregistryname.example.org:5000/some/deep/path/of/repository:with-a-long-tag
127.0.0.1:5000/p:1
multi:1                         2951bc3c45c5       68.4kB         2.86kB   U    
├─ linux/amd64                  58c8b5c4e429       33.8kB         1.02kB        
├─ linux/arm64/v8               59a27a0b63d4       33.8kB         1.04kB   U    
└─ linux/s390x                  3976e9115208           0B             0B        
"""


def manifest(digest: str, platform: str, content: int, unpacked: int, *containers: str) -> dict[str, Any]:
    parts = dict(zip(("os", "architecture", "variant"), platform.split("/")))
    return {
        "ID": f"sha256:{digest}",
        "Available": content > 0,
        "Size": {"Content": content, "Total": content + unpacked},
        "Kind": "image",
        "ImageData": {"Platform": parts, "Containers": list(containers) or None},
    }


def image(digest: str, names: list[str], *manifests: dict[str, Any]) -> dict[str, Any]:
    return {"Id": f"sha256:{digest}", "RepoTags": names, "Manifests": list(manifests), "Containers": 0, "Size": 5}


LONG = "averyveryverylongregistryname.example.org:5000/some/deep/path/of/repository:with-a-long-tag"
SINGLE = image("2227dad397dfaa", ["single:1"], manifest("2227dad397dfaa", "linux/amd64", 789, 8192))
MULTI = image(
    "2951bc3c45c5aa",
    ["127.0.0.1:5000/p:1", LONG, "multi:1"],
    manifest("58c8b5c4e429aa", "linux/amd64", 1024, 32768),
    manifest("59a27a0b63d4aa", "linux/arm64/v8", 1041, 32768, "c"),
    manifest("3976e9115208aa", "linux/s390x", 0, 0),
    {"ID": "sha256:da", "Available": True, "Size": {"Content": 793, "Total": 793}, "Kind": "attestation", "AttestationData": {}},
)


def test_a_tree_is_dockers() -> None:
    assert render([SINGLE, MULTI], width=80) == DOCKER


def test_names_share_what_the_terminal_is_wide() -> None:
    lines = render([image("aa", [LONG], manifest("bb", "linux/arm64/v8", 1, 1))], width=80).splitlines()
    assert lines[3].startswith("averyveryverylongregistryname…"[:28] + "…   ")
    assert {len(line) for line in lines if line.strip()} == {80}
    assert len(render([SINGLE], width=120).splitlines()[3]) == len("linux/amd64") + 7 + 51


def test_what_has_no_name_and_no_manifests_is_shown() -> None:
    lines = render([{"Id": "sha256:aabb", "RepoTags": [], "Size": 2048}], width=80).splitlines()
    assert lines[3].split() == ["<untagged>", "aabb", "2.05kB", "0B"]
    assert len(lines) == 4


def test_what_is_not_here_is_faint_on_a_terminal() -> None:
    lines = render([MULTI], width=80, coloured=True).splitlines()
    assert lines[-1].startswith("\x1b[2m└─ linux/s390x")
    assert lines[5].startswith("\x1b[1mmulti:1\x1b[0m ")
