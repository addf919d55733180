import pytest

from argosy.base.errors import InvalidParameterError
from argosy.build.context.remote import Download, Git, parse


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://example.com/repo.git", Git("https://example.com/repo.git")),
        ("https://example.com/repo.git#main", Git("https://example.com/repo.git", "main")),
        ("https://example.com/repo.git#v1.0:sub/dir", Git("https://example.com/repo.git", "v1.0", "sub/dir")),
        ("https://example.com/repo.git#:sub", Git("https://example.com/repo.git", "", "sub")),
        ("https://user@example.com:8443/a/b.git#pull/42/head", Git("https://user@example.com:8443/a/b.git", "pull/42/head")),
        ("github.com/docker/cli", Git("https://github.com/docker/cli")),
        ("github.com/docker/cli#v27", Git("https://github.com/docker/cli", "v27")),
        ("git@github.com:docker/cli.git", Git("git@github.com:docker/cli.git")),
        ("git@host:repo#x:y", Git("git@host:repo", "x", "y")),
        ("git://host/repo", Git("git://host/repo")),
        ("ssh://git@host/repo", Git("ssh://git@host/repo")),
        ("https://host/r.git?ref=v1&subdir=a", Git("https://host/r.git", "v1", "a")),
        ("https://host/r.git?branch=b", Git("https://host/r.git", "refs/heads/b")),
        ("https://host/r.git?tag=t&submodules=false", Git("https://host/r.git", "refs/tags/t", submodules=False)),
        ("https://host/r.git?checksum=0123abc&keep-git-dir=true", Git("https://host/r.git", checksum="0123abc", keep_git_dir=True)),
        ("https://host/context.tar.gz", Download("https://host/context.tar.gz")),
        ("http://host/Dockerfile?x=y", Download("http://host/Dockerfile?x=y")),
    ],
)
def test_a_remote_is_git_or_a_download(text, what):
    assert parse(text) == what


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file:///etc", "neither an http"),
        ("ext::sh -c id", "neither an http"),
        ("/etc", "neither an http"),
        ("https:///x.git", "neither an http"),
        ("https://host:x/y.git", "invalid remote context"),
        ("https://host/r.git#--upload-pack=id", "invalid git ref"),
        ("https://host/r.git#a b", "invalid git ref"),
        ("https://host/r.git#x;id", "invalid git ref"),
        ("git@-oProxyCommand=id:x", "neither an http"),
        ("ssh://-oProxyCommand=id/x", "invalid git URL"),
        ("https://host/r.git#x:../y", "leads out of the repository"),
        ("https://host/r.git?foo=1", "unexpected query 'foo'"),
        ("https://host/r.git?ref=a#b", "more than one ref"),
        ("https://host/r.git?checksum=zz", "invalid git checksum"),
    ],
)
def test_what_could_be_more_than_a_name_is_refused(text, words):
    with pytest.raises(InvalidParameterError, match=words):
        parse(text)
