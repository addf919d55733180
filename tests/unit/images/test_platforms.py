import pytest

from argosy.base.errors import InvalidParameterError
from argosy.images.platforms import Platform, choose, fits, normalise, parse
from argosy.oci.descriptor import Descriptor
from argosy.oci.descriptor import Platform as Wire


def entry(name: str, text: str = "") -> Descriptor:
    os, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    return Descriptor("m", name, 1, platform=Wire(architecture, os, variant=variant) if text else None)


def chosen(wanted: str, *offered: str) -> str | None:
    found = choose([entry(one, one) for one in offered], parse(wanted))
    return found.digest if found is not None else None


@pytest.mark.parametrize(
    ("wanted", "offered", "answer"),
    [
        ("linux/amd64", ("linux/arm64/v8", "linux/amd64"), "linux/amd64"),
        ("linux/amd64", ("linux/386",), "linux/386"),
        ("linux/amd64", ("linux/amd64/v2", "linux/amd64"), "linux/amd64"),
        ("linux/amd64/v3", ("linux/amd64", "linux/amd64/v2", "linux/amd64/v4"), "linux/amd64/v2"),
        ("linux/arm64", ("linux/arm64/v8",), "linux/arm64/v8"),
        ("linux/arm64", ("linux/arm/v7", "linux/arm/v6"), "linux/arm/v7"),
        ("linux/arm/v6", ("linux/arm/v7", "linux/arm/v5"), "linux/arm/v5"),
        ("linux/arm", ("linux/arm/v6", "linux/arm/v7"), "linux/arm/v7"),
        ("linux/arm/v6", ("linux/arm64",), None),
        ("linux/s390x", ("linux/amd64", "windows/s390x"), None),
    ],
)
def test_the_best_of_an_index(wanted: str, offered: tuple[str, ...], answer: str | None) -> None:
    assert chosen(wanted, *offered) == answer


def test_attestations_are_no_images_and_what_names_no_platform_fits_last() -> None:
    proof = Descriptor("m", "proof", 1, annotations={"vnd.docker.reference.type": "attestation-manifest"}, platform=Wire("amd64", "linux"))
    found = choose([proof, entry("unknown", "unknown/unknown"), entry("plain"), entry("own", "linux/amd64")], Platform("linux", "amd64"))
    assert found is not None and found.digest == "own"
    found = choose([proof, entry("plain")], Platform("linux", "amd64"))
    assert found is not None and found.digest == "plain"
    assert choose([proof], Platform("linux", "amd64")) is None


def test_one_spelling_for_each_platform() -> None:
    assert parse("linux/aarch64/v8") == parse("arm64") == Platform("linux", "arm64")
    assert parse("armhf") == Platform("linux", "arm", "v7")
    assert parse("linux/x86_64") == Platform("linux", "amd64")
    assert normalise(Platform("linux", "arm", "6")).variant == "v6"
    assert fits(Platform("linux", "arm64", "v8"), parse("linux/arm64"))
    assert not fits(Platform("linux", "amd64"), parse("linux/arm64"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a/b/c/d", "cannot parse platform specifier"),
        ("a b", "invalid platform component"),
        ("", "invalid"),
        ("foo", '"foo": unknown operating system or architecture: invalid argument'),
    ],
)
def test_what_is_no_platform(text: str, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        parse(text)
