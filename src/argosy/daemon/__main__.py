"""``argosyd``: read the configuration, take the data root, run the engine until a signal ends it."""

import asyncio
import faulthandler
import gc
import logging
import os
import signal
import sys

import argosy
from argosy.base.errors import ArgosyError
from argosy.daemon import commandline, notify, pidfile, priority
from argosy.daemon.config import DaemonConfig, level, load
from argosy.daemon.root import DataRoot
from argosy.linux.kernel import cgroup_mounts
from argosy.linux.memory import trim

_log = logging.getLogger("argosyd")
_NO_CGROUPS = (
    "no control groups are mounted here, so no container could be held to its limits or its devices: mount -t cgroup2 none "
    "/sys/fs/cgroup (`ip netns exec` hides them, `nsenter --net=/run/netns/NAME` does not)"
)


def main() -> None:
    """Run the daemon; exit 0 after SIGTERM, 1 with one line that says why it cannot start, 125 for bad usage."""
    words = sys.argv[1:]
    try:
        given = commandline.parse(words)
    except ArgosyError as error:
        _end(f"{error}\nSee 'argosyd --help'.", 125)
    if given.get("help"):
        print(commandline.usage())  # noqa: T201
        return
    if given.get("version"):
        print(f"Argosy version {argosy.__version__}, build python{sys.version_info.major}.{sys.version_info.minor}")  # noqa: T201
        return
    try:
        config = load(words)
        if config["validate"]:
            print("configuration OK")  # noqa: T201
            return
        _run(config)
    except ArgosyError as error:
        _end(f"argosyd: {error}", 1)


def _end(message: str, code: int) -> None:
    print(message, file=sys.stderr)  # noqa: T201
    raise SystemExit(code)


def _run(config: DaemonConfig) -> None:
    if os.geteuid() != 0:
        _end("argosyd: needs to be started with root privileges: use sudo, or the systemd unit", 1)
    if not any(cgroup_mounts()):
        _end(f"argosyd: {_NO_CGROUPS}", 1)
    _log_to_stderr(config)
    os.umask(0o022)
    # Next to nothing of what a boot makes is garbage.
    gc.disable()
    priority.prefer_loop()
    faulthandler.register(signal.SIGUSR1)
    pidfile.write(config["pidfile"])
    try:
        root = DataRoot(config["data_root"])
        loop = asyncio.new_event_loop()
        loop.run_until_complete(_serve(config, root))
    finally:
        pidfile.remove(config["pidfile"])
    sys.stderr.flush()
    # Everything is closed; a thread that still reads a file of somebody's is not worth waiting for.
    os._exit(0)


def _log_to_stderr(config: DaemonConfig) -> None:
    style = (
        '{"time":"%(asctime)s","level":"%(levelname)s","msg":"%(message)s"}'
        if config["log_format"] == "json"
        else "time=%(asctime)s level=%(levelname)s msg=%(message)s"
    )
    logging.basicConfig(level=level(config), format=style, stream=sys.stderr)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    for warning in config.warnings:
        _log.warning("%s", warning)


async def _serve(config: DaemonConfig, root: DataRoot) -> None:
    from argosy.daemon.daemon import Daemon

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    daemon = Daemon(config, root, lambda: load(sys.argv[1:]))
    loop.add_signal_handler(signal.SIGHUP, daemon.reload)
    try:
        await daemon.start()
        notify.notify("READY=1")
        # What the boot made stays: no collection needs to walk over it again.
        gc.freeze()
        gc.enable()
        await asyncio.to_thread(trim)
        _log.info("argosyd %s is ready (data root %s, driver %s)", argosy.__version__, root.path, daemon.driver)
        await ended.wait()
        notify.notify("STOPPING=1")
        _log.info("argosyd stops; containers keep running")
    finally:
        await daemon.close()


if __name__ == "__main__":
    main()
