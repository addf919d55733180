"""Run containers by `argosy.runtime.spawn` in a process of their own (spawn needs a single-threaded one).

Reads one JSON job from stdin: plans to start in order, execs in them, and prints what became of each as JSON. Started with
``python -I -S``, as the launcher is.
"""

import json
import os
import select
import sys


def main() -> None:
    job = json.load(sys.stdin)
    sys.path.insert(0, job["source"])
    from argosy.runtime.cgroups import open_group
    from argosy.runtime.compile import compile_exec
    from argosy.runtime.spawn import spawn_exec
    from argosy.runtime.spawn.enter import exec_group

    results = []
    children = []
    for plan in job["plans"]:
        for kind, index in plan.pop("join_started", {}).items():
            name = "net" if kind == "network" else kind
            plan["join"][kind] = f"/proc/{children[index][0].pid}/ns/{name}"
        child, result = start(plan)
        results.append(result)
        if child is None:
            open_group(plan["cgroup"]).remove()
        else:
            children.append((child, plan, result))
            if job.get("ready"):
                wait_ready(result)
    for number, request in enumerate(job.get("execs", [])):
        child, plan, _ = children[request.pop("in", 0)]
        compiled = compile_exec(request, plan, exec_id=f"x{number}")
        results.append(run(lambda fds: spawn_exec(compiled, child.pidfd, child.pid, fds), compiled)[1])
        exec_group(compiled).remove()
    for pid in job.get("signals", []):
        os.kill(children[0][0].pid, pid)
    # The last first: the init of a pid namespace ends only when all others in it were reaped.
    for child, plan, result in reversed(children):
        if job.get("kill") is True or plan["id"] in (job.get("kill") or ()):
            open_group(plan["cgroup"]).kill()
        finish(child, result)
        open_group(plan["cgroup"]).remove()
    for result in results:
        result.pop("_readers", None)
    json.dump({"results": results, "fds": len(os.listdir("/proc/self/fd")) - 1}, sys.stdout)


def wait_ready(result):
    """Return when the program said that it got this far."""
    while "ready\n" not in result["stdout"]:
        part = os.read(result["_readers"][0], 65536)
        assert part, result
        result["stdout"] += part.decode()


def start(plan):
    from argosy.runtime.spawn import spawn

    return run(lambda fds: spawn(plan, fds), plan, wait=False)


def run(make, plan, wait=True):
    from argosy.runtime.spawn import SpawnFailed

    pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
    null = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    result = {"stdout": "", "stderr": ""}
    child = None
    try:
        child = make(None if plan["terminal"] else (null, pipes[0][1], pipes[1][1]))
        result["warnings"] = child.warnings
        child.release()
    except SpawnFailed as error:
        result["failed"] = [error.errno, error.stage, error.docker(), error.code]
    finally:
        os.close(null)
        for _, writer in pipes:
            os.close(writer)
    result["_readers"] = [reader for reader, _ in pipes]
    if "failed" in result:
        collect(result)
        return None, result
    if wait:
        finish(child, result)
    return child, result


def finish(child, result):
    if child.master >= 0:
        result["stdout"] = terminal_output(child.master)
    _, status = os.waitpid(child.pid, 0)
    result["status"] = os.waitstatus_to_exitcode(status)
    collect(result)
    child.close()


def terminal_output(master):
    data = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            return data.decode("utf-8", "replace")
        data += part


def collect(result):
    readers = result.pop("_readers")
    texts = dict.fromkeys(readers, b"")
    poll = select.poll()
    for reader in readers:
        poll.register(reader, select.POLLIN)
    left = len(readers)
    while left:
        for fd, _ in poll.poll():
            part = os.read(fd, 65536)
            texts[fd] += part
            if not part:
                poll.unregister(fd)
                os.close(fd)
                left -= 1
    result["stdout"] += texts[readers[0]].decode("utf-8", "replace")
    result["stderr"] += texts[readers[1]].decode("utf-8", "replace")


main()
