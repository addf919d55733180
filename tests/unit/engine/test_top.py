"""``docker top``: ps's output cut down, and the reader for hosts without ps."""

import os

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine import processes
from argosy.engine.top import parse, top

OUTPUT = """UID          PID    PPID  C STIME TTY          TIME CMD
root           1       0  0 10:00 ?        00:00:01 /sbin/init splash  quiet
root          77       1  0 10:00 ?        00:00:00 sleep 1000
root          78       1  0 10:00 ?        00:00:00 sh
"""


def test_only_the_containers_processes_are_shown():
    titles, rows = parse(OUTPUT, {1, 78})
    assert titles == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    assert rows == [
        ["root", "1", "0", "0", "10:00", "?", "00:00:01", "/sbin/init splash quiet"],
        ["root", "78", "1", "0", "10:00", "?", "00:00:00", "sh"],
    ]


def test_threads_follow_their_process():
    output = "PID LWP CMD\n77 - sleep\n- 77 -\n78 - sh\n- 78 -\n"
    assert parse(output, {77})[1] == [["77", "-", "sleep"], ["-", "77", "-"]]


@pytest.mark.parametrize("output", ["COMMAND\nsleep\n", ""])
def test_without_a_pid_column_nothing_can_be_found(output):
    with pytest.raises(InvalidParameterError, match="Couldn't find PID field in ps output"):
        parse(output, {1})


async def test_the_hosts_ps_is_run():
    titles, rows = await top([os.getpid()], "-ef")
    assert titles[:3] == ["UID", "PID", "PPID"]
    assert [row[1] for row in rows] == [str(os.getpid())]
    assert (await top([os.getpid()], "-o pid,comm"))[0] == ["PID", "COMMAND"]


@pytest.mark.parametrize(
    ("ps_args", "words"),
    [
        ("--foo", "ps: error: unknown gnu long option"),
        ("-ef;ls", "ps: error: unsupported SysV option"),
        ("-o comm", "Couldn't find PID field in ps output"),
        ("-o pid=PIDX", 'specifying "pid=PIDX" is not allowed'),
    ],
)
async def test_what_ps_refuses_is_told_in_dockers_words(ps_args, words):
    with pytest.raises(InvalidParameterError) as error:
        await top([os.getpid()], ps_args)
    assert str(error.value) == words


@pytest.mark.parametrize("ps_args", ["-ef", "aux", "-o pid,user,comm,args", "-eo pid,ppid", "-o pid -o %cpu"])
async def test_a_host_without_ps_answers_the_usual_arguments(ps_args):
    for ps in (None, "/nonexistent/ps"):
        titles, rows = await top([os.getpid(), 2**22 + 1], ps_args, ps=ps)
        assert len(rows) == 1 and len(rows[0]) == len(titles)
        assert rows[0][titles.index("PID")] == str(os.getpid())


@pytest.mark.parametrize("words", [["--forest"], ["-o", "pid,nonsense"], ["-o", "comm"], ["-p", "1"]])
def test_the_own_reader_refuses_what_it_does_not_know(words):
    with pytest.raises(InvalidParameterError):
        processes.table(words, [os.getpid()])


def test_a_name_with_brackets_and_blanks():
    stat = "42 (a) b (c) S 7 42 42 34816 42 4194560 1 0 0 0 150 50 0 0 20 0 1 0 1000 2048000 300 1"
    found = processes.parse(stat, b"", 0, boot=100.0)
    assert (found.pid, found.ppid, found.name, found.command) == (42, 7, "a) b (c", "[a) b (c]")
    assert found.tty == "pts/0" and found.cpu_ticks == 200
    assert processes.parse(stat, b"sh\0-c\0x y\0", 0, boot=0).command == "sh -c x y"
