"""``--security-opt``."""

import pytest

from argosy.base.errors import SystemFailureError
from argosy.engine.security import Security, security_options


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (None, Security()),
        (["no-new-privileges"], Security(no_new_privileges=True)),
        (["no-new-privileges:true"], Security(no_new_privileges=True)),
        (["no-new-privileges=0"], Security(no_new_privileges=False)),
        (["seccomp=unconfined"], Security(seccomp="unconfined")),
        (["seccomp:unconfined"], Security(seccomp="unconfined")),
        (['seccomp={"defaultAction":"SCMP_ACT_ALLOW","a":"b=c"}'], Security(seccomp='{"defaultAction":"SCMP_ACT_ALLOW","a":"b=c"}')),
        (["apparmor=foo", "apparmor=bar"], Security(apparmor="bar")),
        (["label=disable"], Security(labels=("disable",))),
        (["label:type:x", "label=level:s0"], Security(labels=("type:x", "level:s0"))),
        (["systempaths=unconfined"], Security(unconfined_paths=True)),
        (["writable-cgroups=true"], Security(writable_cgroups=True)),
        (["writable-cgroups"], Security(writable_cgroups=True)),
    ],
)
def test_options(options, found):
    assert security_options(options) == found


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("foo", 'invalid --security-opt 1: "foo"'),
        ("seccomp", 'invalid --security-opt 1: "seccomp"'),
        ("foo=bar", 'invalid --security-opt 2: "foo=bar"'),
        ("no-new-privileges:foo", 'invalid --security-opt 2: "no-new-privileges:foo"'),
        ("writable-cgroups=x", 'invalid --security-opt 2: "writable-cgroups=x"'),
        ("systempaths=x", 'invalid --security-opt 2: "systempaths=x"'),
    ],
)
def test_wrong_ones_get_dockers_words_and_status(option, words):
    with pytest.raises(SystemFailureError) as error:
        security_options([option])
    assert str(error.value) == words


def test_windows_credentials_are_refused():
    with pytest.raises(SystemFailureError, match="Windows"):
        security_options(["credentialspec=x"])
