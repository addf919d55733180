import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.base.errors import InvalidParameterError
from argosy.oci.reference import Reference, parse, repository_and_tag

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("nginx", "docker.io/library/nginx", "nginx"),
        ("nginx:1", "docker.io/library/nginx:1", "nginx:1"),
        ("user/app", "docker.io/user/app", "user/app"),
        ("library/nginx", "docker.io/library/nginx", "nginx"),
        ("docker.io/nginx", "docker.io/library/nginx", "nginx"),
        ("index.docker.io/library/nginx:x", "docker.io/library/nginx:x", "nginx:x"),
        ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("localhost/a", "localhost/a", "localhost/a"),
        ("localhost:5000/a:b", "localhost:5000/a:b", "localhost:5000/a:b"),
        ("Example.org/a/b", "Example.org/a/b", "Example.org/a/b"),
        ("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"),
        ("a__b.c-d--e:T_.-", "docker.io/library/a__b.c-d--e:T_.-", "a__b.c-d--e:T_.-"),
        (f"a@{DIGEST}", f"docker.io/library/a@{DIGEST}", f"a@{DIGEST}"),
        (f"a:1@{DIGEST}", f"docker.io/library/a:1@{DIGEST}", f"a:1@{DIGEST}"),
        ("0123456789ab", "docker.io/library/0123456789ab", "0123456789ab"),
        ("a.b:80/c", "a.b:80/c", "a.b:80/c"),
    ],
)
def test_references_are_normalised(text, full, familiar):
    reference = parse(text)
    assert (str(reference), reference.familiar) == (full, familiar)
    assert parse(str(reference)) == reference
    assert parse(reference.familiar) == reference


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "invalid reference format"),
        (":", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a/-b", "invalid reference format"),
        ("a..b", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("a:" + "x" * 129, "invalid reference format"),
        ("a@sha256:12", "invalid reference format"),
        ("https://a/b", "invalid reference format"),
        ("a\n", "invalid reference format"),
        ("é", "invalid reference format"),
        ("Foo", "invalid reference format: repository name (library/Foo) must be lowercase"),
        ("foo/Bar", "invalid reference format: repository name (foo/Bar) must be lowercase"),
        ("a.b/Bar:tag", "invalid reference format: repository name (Bar) must be lowercase"),
        ("x" * 249, "invalid reference format: repository name must not be more than 255 characters"),
        (
            "0" * 64,
            f"invalid reference format: invalid repository name ({'0' * 64}), cannot specify 64-byte hexadecimal strings",
        ),
        ("a@md5:" + "0" * 32, "unsupported digest algorithm"),
        ("a@sha256:" + "0" * 63, "invalid checksum digest length"),
    ],
)
def test_what_is_no_reference_is_refused_in_dockers_words(text, words):
    with pytest.raises(InvalidParameterError) as caught:
        parse(text)
    assert str(caught.value) == words


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused(text):
    try:
        reference = parse(text)
    except InvalidParameterError:
        return
    assert parse(str(reference)) == reference


def test_latest_is_added_where_nothing_is_said():
    assert parse("a").tagged().familiar == "a:latest"
    assert parse("a:1").tagged().familiar == "a:1"
    assert parse(f"a@{DIGEST}").tagged() == parse(f"a@{DIGEST}")


def test_repository_and_tag_come_apart():
    assert repository_and_tag("a", "1") == Reference("docker.io", "library/a", "1")
    assert repository_and_tag("a:2", "").tag == "2"
    assert repository_and_tag("a", "").tag == "latest"
    with pytest.raises(InvalidParameterError, match="invalid tag format"):
        repository_and_tag("a", "b c")
    with pytest.raises(InvalidParameterError, match="cannot import digest reference"):
        repository_and_tag(f"a@{DIGEST}", "1")
