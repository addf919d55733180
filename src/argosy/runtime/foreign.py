"""A container given to another OCI runtime (``--runtime runc|crun``): the shim keeps its part, the runtime makes the processes.

runtime-spec ``runtime.md`` and runc(8): ``create`` with the program's stdio, ``start``, ``exec --detach``, ``delete``. What
they leave behind is reparented to the shim, which is a subreaper; so exit codes come as from our own runtime.
"""

import _socket as socket
import os

from argosy.linux import mount, process
from argosy.linux.openat2 import read_file
from argosy.linux.syscall import AT_FDCWD
from argosy.runtime import plainjson
from argosy.runtime.cgroups import open_group
from argosy.runtime.init.users import UserError, home_of, resolve_groups, resolve_user
from argosy.runtime.shim import wire
from argosy.runtime.shim.apart import Starter
from argosy.runtime.shim.stage import StartError
from argosy.runtime.spawn import SpawnFailed
from argosy.runtime.spawn.sources import Mapper, open_binds, open_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from argosy.runtime.shim.apart import Said

    Stdio = tuple[int, int, int] | None

_CREATE = "failed to create task for container: failed to create shim task: OCI runtime create failed: "
_START = "failed to start task for container: OCI runtime start failed: "
_EXEC = "OCI runtime exec failed: "


class Foreign:
    """One container of another runtime."""

    def __init__(self, request: "Mapping[str, Any]", plan: "dict[str, Any]") -> None:
        self._id: str = request["id"]
        self._runtime: str = request["runtime"]
        self._bundle = os.path.join(request["directory"], "bundle")
        self._state = os.path.join(request["directory"], "foreign")
        self._spec: dict[str, Any] = request["bundle"]
        self._plan = plan
        self._terminal = bool(request["terminal"])
        self.group = open_group(self._plan["cgroup"])
        self.pid = 0
        self.master = self._oom_log = -1
        self.warnings: list[str] = []
        self._mounted = self._created = False
        self._placed_count = 0

    def begin(self, stdio: "Stdio") -> None:
        """``create``: the runtime's init waits. Raises StartError with nothing left."""
        try:
            self._make_bundle()
            self.pid, self.master = self._launch("create", ["--bundle", "."], [self._id], stdio, self._terminal, _CREATE, "create")
            self._created = True
        except BaseException:
            self.remove()
            raise

    def finish(self) -> None:
        """``create`` has waited."""

    def release(self) -> None:
        code, words = self._run("start", [self._id], None)
        if code != 0:
            raise _failure(_START, words)

    def abort(self) -> None:
        self.remove()

    def enter(self, request: "Mapping[str, Any]", stdio: "Stdio") -> Starter:
        """Begin to start a process (`execs.Runner`)."""
        return Starter(list(stdio or ()), lambda _: self._enter(request, stdio))

    def _enter(self, request: "Mapping[str, Any]", stdio: "Stdio") -> "Said":
        # Whoever kills this kills the runtime with it; and what the runtime leaves behind is the shim's only after the answer.
        os.setpgid(0, 0)
        process.prctl(process.PR_SET_CHILD_SUBREAPER, 1)
        try:
            pid, master = self._exec(request, stdio)
        except StartError as error:
            return {"failed": str(error), "code": error.code}, []
        return {"pid": pid}, [master] if master >= 0 else []

    def _exec(self, request: "Mapping[str, Any]", stdio: "Stdio") -> tuple[int, int]:
        terminal = bool(request["terminal"])
        description = self._resolved({**request["process"], "terminal": terminal})
        rows, columns = request.get("console_size") or (0, 0)
        if rows and columns:
            description["consoleSize"] = {"height": rows, "width": columns}
        name = f"exec-{request['exec_id'][:16]}"
        _write(os.path.join(self._bundle, name + ".json"), plainjson.dumps(description).encode())
        try:
            options = ["--process", name + ".json", "--detach"]
            return self._launch("exec", options, [self._id], stdio, terminal, _EXEC, name)
        finally:
            self._discard_files(name)

    def exec_ended(self, exec_id: str) -> None:
        """The runtime keeps nothing of an exec; of one that was killed while it started some files are left."""
        self._discard_files(f"exec-{exec_id[:16]}")

    def _discard_files(self, name: str) -> None:
        for suffix in (".json", ".pid", ".log", ".sock"):
            _discard(os.path.join(self._bundle, name + suffix))

    def kill_rest(self) -> None:
        if self.group.processes():
            self.group.kill()

    def held(self) -> "dict[str, int]":
        try:
            fd = self.group.oom_fd()
        except OSError:
            fd = -1
        self._oom_log = self.group.oom_log()
        return {"oom": fd} if fd >= 0 else {}

    def oom_kills(self) -> int:
        return self.group.oom_kills(self._oom_log)

    def close_root(self) -> None:
        if self._mounted:
            mount.unmount(os.fsencode(os.path.join(self._bundle, "rootfs")))
            self._mounted = False
        while self._placed_count:
            mount.unmount(os.fsencode(os.path.join(self._bundle, f"mount-{self._placed_count}")))
            self._placed_count -= 1

    def remove(self) -> None:
        if self._created:
            self._run("delete", ["--force", self._id], None)
            self._created = False
        self.close_root()
        _remove_tree(self._bundle)
        _remove_tree(self._state)
        self.group.remove()

    # ------------------------------------------------------------------ the bundle

    def _make_bundle(self) -> None:
        if self._plan.get("init"):
            raise StartError(f"--init needs the default runtime, not {os.path.basename(self._runtime)}", 128)
        os.makedirs(os.path.join(self._bundle, "rootfs"), mode=0o700, exist_ok=True)
        if self._plan["uid_map"]:
            # The runtime's init goes there from within the user namespace, as somebody who is nobody to the host.
            directory = os.path.dirname(self._bundle)
            for passed in (self._bundle, directory, os.path.dirname(directory)):
                os.chmod(passed, 0o711)
        mapper = Mapper()
        sources: list[tuple[int, bool]] = []
        shown = _shown(self._spec.get("mounts") or (), self._plan)
        try:
            tree = open_root(self._plan, mapper)
            try:
                sources = open_binds(list(shown.values()), mapper)
            except BaseException:
                os.close(tree)
                raise
        except SpawnFailed as error:
            raise StartError(error.docker(), error.code) from None
        finally:
            mapper.close()
        # The mount is this process's and its children's alone; mounts of the host still come in, and go again.
        process.unshare(process.NEWNS)
        mount.set_propagation(b"/", mount.MS_SLAVE | mount.MS_REC)
        try:
            mount.attach(tree, AT_FDCWD, os.fsencode(os.path.join(self._bundle, "rootfs")))
            self._mounted = True
            # The version that all of them take: crun 1.8 refuses what is newer than itself, and nothing newer is used here.
            spec = {**self._spec, "ociVersion": "1.0.2", "root": {**(self._spec.get("root") or {}), "path": "rootfs"}}
            spec["process"] = self._resolved({**spec["process"], "terminal": self._terminal}, tree)
            spec["mounts"] = list(spec.get("mounts") or ())
            for index, (fd, is_directory) in zip(shown, sources):
                spec["mounts"][index] = self._placed(spec["mounts"][index], fd, is_directory)
        finally:
            for fd in (tree, *(fd for fd, _ in sources)):
                os.close(fd)
        linux = dict(spec.get("linux") or {})
        linux["namespaces"] = _namespaces(linux.get("namespaces") or [], self._plan["join"])
        spec["linux"] = linux
        _write(os.path.join(self._bundle, "config.json"), plainjson.dumps(spec).encode())

    def _placed(self, entry: "Mapping[str, Any]", fd: int, is_directory: bool) -> "dict[str, Any]":
        """Attach a mount in the bundle and return its entry as a plain bind of that: runc maps mounts since 1.2, and knows no trees."""
        self._placed_count += 1
        place = os.path.join(self._bundle, f"mount-{self._placed_count}")
        if is_directory:
            os.makedirs(place, mode=0o700, exist_ok=True)
        else:
            _write(place, b"")
        mount.attach(fd, AT_FDCWD, os.fsencode(place))
        kept = {key: value for key, value in entry.items() if key not in ("uidMappings", "gidMappings")}
        return {**kept, "source": place}

    def _resolved(self, description: "dict[str, Any]", root: int = -1) -> "dict[str, Any]":
        """Return the process with its user as numbers: other runtimes know no names (runtime-spec config.md, user)."""
        user = dict(description.get("user") or {})
        named, more = user.pop("username", None), user.pop("additionalGroups", None)
        if named is None and not more:
            return {**description, "user": user}
        opened = root if root >= 0 else os.open(f"/proc/{self.pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            passwd, group = _file(opened, b"/etc/passwd"), _file(opened, b"/etc/group")
        finally:
            if opened != root:
                os.close(opened)
        try:
            if named is not None:
                found = resolve_user(named.encode(), passwd, group)
                user["uid"], user["gid"], groups = found.uid, found.gid, list(found.groups)
            else:
                groups = list(user.get("additionalGids") or [])
            groups += resolve_groups([str(name).encode() for name in more or ()], group)
        except UserError as error:
            raise StartError(str(error), 128) from None
        user["additionalGids"] = sorted(set(groups))
        environment = list(description.get("env") or [])
        if not any(entry.startswith("HOME=") for entry in environment):
            environment.append("HOME=" + os.fsdecode(home_of(user["uid"], passwd)))
        return {**description, "user": user, "env": environment}

    # ------------------------------------------------------------------ running the runtime

    def _launch(
        self,
        verb: str,
        options: list[str],
        arguments: list[str],
        stdio: "Stdio",
        terminal: bool,
        words: str,
        name: str,
    ) -> tuple[int, int]:
        """Run a verb that makes a process; return (its pid, the terminal's master or -1). Raises StartError.

        Its files are ``name.*``: several execs may start at once.
        """
        console = _listen(self._bundle, name + ".sock") if terminal else None
        try:
            options = [*options, "--pid-file", name + ".pid"]
            if console is not None:
                options += ["--console-socket", name + ".sock"]
            code, said = self._run(verb, [*options, *arguments], stdio, name + ".log")
            if code != 0:
                raise _failure(words, said)
            master = _receive_master(console) if console is not None else -1
        finally:
            if console is not None:
                console.close()
                _discard(os.path.join(self._bundle, name + ".sock"))
        with open(os.path.join(self._bundle, name + ".pid")) as file:
            return int(file.read()), master

    def _run(self, verb: str, arguments: "Sequence[str]", stdio: "Stdio", log_name: str = "run.log") -> tuple[int, str]:
        """Run the runtime in the bundle; return (exit code, what it logged as its last error)."""
        log = os.path.join(self._bundle, log_name)
        _discard(log)
        argv = [self._runtime, "--root", self._state, "--log", log, "--log-format", "json", verb, *arguments]
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        try:
            fds = stdio or (null, null, null)
            actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds)]
            os.chdir(self._bundle)
            try:
                environment = {"PATH": os.environ.get("PATH", os.defpath)}
                pid = os.posix_spawn(self._runtime, argv, environment, file_actions=actions, setsigdef=_SIGNALS)
            except OSError as error:
                return 127, f"{self._runtime}: {os.strerror(error.errno or 0).lower()}"
            finally:
                os.chdir("/")
        finally:
            os.close(null)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), _last_error(log)


def _shown(mounts: "Sequence[Mapping[str, Any]]", plan: "Mapping[str, Any]") -> "dict[int, dict[str, Any]]":
    """Return the plan's binds, by number of the specification's mount, that the shim must open: mapped ones, and trees."""
    indexes = {fields["to"]: fields["index"] for name, fields in plan["steps"] if name == "bind"}
    found = {}
    for number, entry in enumerate(mounts):
        index = indexes.get(os.path.normpath("/" + entry["destination"].lstrip("/")))
        bind = plan["binds"][index] if index is not None else {}
        if "tree" in bind or bind.get("uid_map"):
            found[number] = bind
    return found


_SIGNALS = (2, 10, 12, 13, 15, 1, 25)


def _namespaces(entries: "list[dict[str, str]]", join: "Mapping[str, str]") -> "list[dict[str, str]]":
    kept = [entry for entry in entries if entry["type"] not in join]
    return [*kept, *({"type": kind, "path": path} for kind, path in join.items())]


def _failure(words: str, said: str) -> StartError:
    code = 128
    if "executable file not found" in said or "no such file or directory" in said.lower():
        code = 127
    elif "permission denied" in said.lower():
        code = 126
    return StartError(f"{words}{said}: unknown", code)


def _last_error(path: str) -> str:
    """Return the message of the last error in a runtime's JSON log."""
    found = ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    entry = plainjson.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict) and entry.get("level") in ("error", "fatal"):
                    found = str(entry.get("msg", ""))
    except FileNotFoundError:
        pass
    return found or "the runtime gave no reason"


def _listen(directory: str, name: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    os.chdir(directory)
    try:
        _discard(name)
        listener.bind(name)
    finally:
        os.chdir("/")
    listener.listen(1)
    return listener


def _receive_master(listener: socket.socket) -> int:
    """Return the terminal that the runtime sent; it has ended by now, so that the connection is there."""
    listener.settimeout(5)
    fd, _ = listener._accept()  # type: ignore[attr-defined]
    connection = socket.socket(fileno=fd)
    try:
        _, fds = wire.receive_fds(connection)
    finally:
        connection.close()
    if len(fds) != 1:
        wire.close_all(fds)
        raise StartError("the runtime sent no terminal", 128)
    return fds[0]


def _file(root: int, path: bytes) -> bytes:
    try:
        return read_file(root, path)
    except OSError:
        return b""


def _write(path: str, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _remove_tree(path: str) -> None:
    """Remove a directory of ours that holds files and empty directories."""
    if not os.path.isdir(path):
        return
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            _remove_tree(entry.path)
        else:
            _discard(entry.path)
    try:
        os.rmdir(path)
    except OSError:
        pass
