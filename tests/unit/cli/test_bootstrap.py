"""What ``argosy image bootstrap`` decides: release, architecture, mirror, command line; and what it tidies."""

from pathlib import Path
from typing import Any

import pytest

from argosy.cli.bootstrap import archives, plan, tidy
from argosy.cli.bootstrap.archives import Source
from argosy.cli.errors import ExitError

SOURCES = """\
# comment
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm
 bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main

Types: deb-src
URIs: http://src.example/debian
Suites: trixie
Components: main
"""


def wanted(repository: str, tag: str, **more: Any) -> plan.Wanted:
    asked = {"suite": "", "platform": "", "arch": "", "variant": "minbase", "include": [], "own": "amd64", "binfmt": ()}
    return plan.wanted(repository, tag, **(asked | more))


def test_both_forms_of_apt_sources_are_read() -> None:
    assert archives.deb822(SOURCES) == [
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates")),
        Source("http://mirror.example/debian-security", ("bookworm-security",)),
    ]
    lines = (
        "deb [arch=amd64 signed-by=/k] https://a.example/ubuntu/ noble main # why",
        "deb-src http://b.example/debian sid main",
        "#deb x y",
    )
    assert archives.one_line("\n".join(lines)) == [Source("https://a.example/ubuntu", ("noble",))]


@pytest.mark.parametrize("text", ["deb", "deb [x", "deb [x]", "deb [x] http://a/debian", "\n \n:\n x\n"])
def test_broken_sources_are_none(text: str) -> None:
    assert archives.one_line(text) == [] and archives.deb822(text) == []


def test_the_mirror_is_the_machines_own_and_one_with_the_suite_before_others() -> None:
    own = [
        Source("https://third.example/apt", ("bookworm",)),
        Source("http://old.example/debian", ("bookworm",)),
        Source("http://new.example/debian", ("trixie",)),
    ]
    assert archives.own_mirror(own, "debian", "trixie") == "http://new.example/debian"
    assert archives.own_mirror(own, "debian", "sid") == "http://old.example/debian"
    assert archives.own_mirror(own, "ubuntu", "noble") == ""
    assert archives.default_mirror("ubuntu", "arm64") == archives.PORTS
    assert archives.default_mirror("ubuntu", "amd64") == archives.DEFAULTS["ubuntu"]


def test_updates_are_asked_of_the_mirror_and_of_the_machines_security_archive() -> None:
    mirror = "http://m.example/debian"
    assert archives.candidates("debian", "trixie", mirror, "http://s.example/debian-security") == [
        Source(mirror, ("trixie-updates",)),
        Source("http://s.example/debian-security", ("trixie-security",)),
    ]
    assert archives.candidates("debian", "trixie", mirror, "")[1].uri == "http://m.example/debian-security"
    assert len(archives.candidates("debian", "trixie", "http://m.example/snapshot", "")) == 1
    assert [source.suites[0] for source in archives.candidates("ubuntu", "noble", mirror, "")] == ["noble-updates", "noble-security"]


def test_sources_of_one_archive_are_one_stanza() -> None:
    text = archives.written(
        [Source("http://m/debian", ("s",)), Source("http://m/debian", ("s-updates",)), Source("http://x", ("y",))], "main", "/k"
    )
    assert text.count("Types: deb") == 2 and "Suites: s s-updates\n" in text and text.count("Signed-By: /k") == 2
    assert archives.deb822(text) == [Source("http://m/debian", ("s", "s-updates")), Source("http://x", ("y",))]


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("debian:bookworm", ("debian", "bookworm")),
        ("debian:13", ("debian", "trixie")),
        ("debian:latest", ("debian", "stable")),
        ("team/debian:sid", ("debian", "sid")),
        ("ubuntu:24.04", ("ubuntu", "noble")),
        ("ubuntu:jammy", ("ubuntu", "jammy")),
    ],
)
def test_the_name_tells_the_release(name: str, release: tuple[str, str]) -> None:
    found = wanted(*name.split(":"))
    assert (found.distribution, found.suite) == release


def test_a_name_that_tells_none_needs_a_suite() -> None:
    for name, tag in (("base", "1"), ("ubuntu", "latest"), ("base", "latest")):
        with pytest.raises(ExitError, match="does not say which release: name one with --suite"):
            wanted(name, tag)
    assert wanted("base", "1", suite="noble").distribution == "ubuntu"
    assert wanted("base", "1", suite="trixie").distribution == "debian"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"suite": "../x"}, "invalid --suite"),
        ({"suite": "-x"}, "invalid --suite"),
        ({"variant": "tiny"}, "use minbase, buildd, full"),
        ({"include": ["--foo"]}, "invalid --include"),
        ({"include": ["a b"]}, "invalid --include"),
        ({"platform": "windows/amd64"}, "invalid --platform"),
        ({"platform": "linux/sparc"}, "invalid --platform"),
        ({"platform": "linux/arm64", "arch": "arm64"}, "conflicting options"),
        ({"platform": "linux/arm64"}, "apt-get install qemu-user-static"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(flags: dict[str, Any], words: str) -> None:
    with pytest.raises(ExitError, match=words):
        wanted("debian", "bookworm", **flags)


@pytest.mark.parametrize(
    ("flags", "architecture", "platform"),
    [
        ({}, "amd64", ""),
        ({"platform": "linux/amd64"}, "amd64", ""),
        ({"arch": "i386"}, "i386", "linux/386"),
        ({"platform": "linux/386"}, "i386", "linux/386"),
        ({"platform": "linux/arm64/v8", "binfmt": ["qemu-aarch64"]}, "arm64", "linux/arm64/v8"),
        ({"arch": "arm64", "binfmt": ["qemu-aarch64"]}, "arm64", "linux/arm64"),
        ({"platform": "linux/arm/v7", "own": "arm64"}, "armhf", "linux/arm/v7"),
    ],
)
def test_platforms_are_told_in_debians_words(flags: dict[str, Any], architecture: str, platform: str) -> None:
    found = wanted("debian", "bookworm", **flags)
    assert (found.architecture, found.platform) == (architecture, platform)


def test_a_release_is_never_made_unchecked() -> None:
    words = plan.command(wanted("debian", "bookworm", include=["vim"]), "https://m/debian", "/t", known=("bookworm",))
    assert words == [
        *("debootstrap", "--force-check-gpg", "--arch=amd64", "--variant=minbase", "--include=vim,ca-certificates"),
        *("bookworm", "/t", "https://m/debian"),
    ]


def test_a_release_newer_than_debootstrap_is_made_with_the_script_of_its_kin() -> None:
    assert plan.command(wanted("ubuntu", "26.04"), "http://m", "/t", known=("sid",), keyring="/k")[-5:] == [
        *("--keyring=/k", "resolute", "/t", "http://m", "/usr/share/debootstrap/scripts/gutsy"),
    ]
    assert not any("--variant" in word for word in plan.command(wanted("debian", "13", variant="full"), "m", "/t", known=()))


def test_apts_proxy_is_debootstraps_where_none_is_set() -> None:
    apt = archives.settings('Acquire::http::Proxy "http://p:1";\nAcquire::https::Proxy "DIRECT";\nbroken\n')
    assert plan.environment({}, apt)["http_proxy"] == "http://p:1" and "https_proxy" not in plan.environment({}, apt)
    assert plan.environment({"http_proxy": "mine"}, apt)["http_proxy"] == "mine"


def test_known_failures_have_advice() -> None:
    assert "ubuntu-keyring" in plan.advice(["E: Cannot check Release signature; keyring file not available /x"], wanted("ubuntu", "noble"))
    assert "--mirror" in plan.advice(["E: Failed getting release file http://x"], wanted("debian", "nope"))
    assert plan.advice(["E: something else"], wanted("debian", "sid")) == ""


def test_what_is_of_the_machine_or_the_making_is_not_in_the_image(tmp_path: Path) -> None:
    for name in (
        "var/lib/apt/lists/x_Packages",
        "var/cache/apt/archives/a.deb",
        "etc/passwd-",
        "var/log/bootstrap.log",
        "dev/null",
        "run/x/y",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "etc/passwd").write_text("root")
    (tmp_path / "etc/apt").mkdir()
    (tmp_path / "etc/apt/sources.list").write_text("deb old")
    (tmp_path / "etc/hostname").write_text("this-machine")
    (tmp_path / "etc/resolv.conf").symlink_to("/run/elsewhere")
    tidy.tidy(tmp_path, "Types: deb\n", {"acquire::check-valid-until": "false"})
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        *("etc/passwd", "etc/hostname", "etc/resolv.conf", "etc/machine-id", "usr/sbin/policy-rc.d"),
        *("etc/apt/apt.conf.d/90argosy-image", "etc/apt/sources.list.d/image.sources", "etc/dpkg/dpkg.cfg.d/argosy-image"),
    }
    assert (tmp_path / "etc/hostname").read_text() == "" and not (tmp_path / "etc/resolv.conf").is_symlink()
    assert 'Check-Valid-Until "false"' in (tmp_path / "etc/apt/apt.conf.d/90argosy-image").read_text()
    assert (tmp_path / "run/lock").stat().st_mode & 0o7777 == 0o1777
    assert (tmp_path / "usr/sbin/policy-rc.d").stat().st_mode & 0o111
