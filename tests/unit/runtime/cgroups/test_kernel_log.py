"""Records as Linux 6.1 writes them."""

from pathlib import Path

import pytest

from argosy.runtime.cgroups import kernel_log

SCOPE = "/system.slice/argosy-5f2a.scope"
BEFORE = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=argosy-5f2a.scope,mems_allowed=0"


def record(task_memcg: str, task: str = "tail", text: str = "") -> str:
    told = text or f"{BEFORE},oom_memcg={SCOPE},task_memcg={task_memcg},task={task},pid=414,uid=0"
    return f"6,523,49993700,-;{told}\n SUBSYSTEM=memory\n"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (record(SCOPE), True),
        (record(f"{SCOPE}/exec-1"), True),
        (record(f"/kubepods{SCOPE}"), True),
        (record(SCOPE, task="a,task=b"), True),
        (record("/system.slice/argosy-77.scope"), False),
        (record("/system.slice/argosy-5f2a.scope.d"), False),
        (record("/other", task=f"x,task_memcg={SCOPE}"), False),
        (record("", text=f"tail invoked oom-killer: {SCOPE}"), False),
        (record("", text=f"a program says oom-kill:,task_memcg={SCOPE},task=x"), False),
        ("", False),
    ],
)
def test_only_the_kernels_own_summary_of_a_kill_in_it_counts(told: str, expected: bool) -> None:
    assert kernel_log.tells_of(told, SCOPE) is expected


def test_what_was_logged_before_is_not_told(tmp_path: Path) -> None:
    """Of a file, whose read gives all at once; a log gives a record."""
    log = tmp_path / "kmsg"
    log.write_text(record(SCOPE))
    fd = kernel_log.follow(str(log))
    assert kernel_log.oom_kills(fd, SCOPE) == 0
    with log.open("a") as file:
        file.write(record(SCOPE))
    assert (kernel_log.oom_kills(fd, SCOPE), kernel_log.oom_kills(fd, SCOPE)) == (1, 0)


def test_a_log_that_may_not_be_read_is_none(tmp_path: Path) -> None:
    assert kernel_log.follow(str(tmp_path / "none")) == -1
    assert kernel_log.oom_kills(-1, SCOPE) == 0
