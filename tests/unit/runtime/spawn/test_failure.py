import pytest

from argosy.runtime.spawn import SpawnFailed

START = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


@pytest.mark.parametrize(
    ("stage", "message", "code"),
    [
        ("program", 'exec: "x": executable file not found in $PATH', 127),
        ("program", 'exec: "/x": stat /x: no such file or directory', 127),
        ("program", 'exec: "/x": permission denied', 126),
        ("mount", "error mounting: not a directory", 127),
        ("mount", "error mounting: invalid argument", 128),
        ("user", "unable to find user x: no matching entries in passwd file", 128),
    ],
)
def test_exit_codes_are_dockers(stage: str, message: str, code: int) -> None:
    assert SpawnFailed(0, stage, message).code == code


def test_the_text_is_dockers() -> None:
    assert SpawnFailed(2, "program", 'exec: "x": executable file not found in $PATH').docker() == START + (
        'exec: "x": executable file not found in $PATH'
    )
    assert SpawnFailed(2, "sysctl", "open /proc/sys/net/foo: no such file or directory").docker() == START + (
        "error during container init: open /proc/sys/net/foo: no such file or directory"
    )
    assert SpawnFailed(20, "mount", "x: not a directory").docker().endswith("is the expected type")
    assert SpawnFailed(22, "user", "unable to find user x").docker() == "unable to find user x"


def test_an_execs_text_is_dockers() -> None:
    text = SpawnFailed(2, "program", 'exec: "x": executable file not found in $PATH', kind="exec").docker()
    assert text == 'OCI runtime exec failed: exec failed: unable to start container process: exec: "x": executable file not found in $PATH'
