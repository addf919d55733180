"""``GET /version``: the engine and its parts."""

from collections.abc import Sequence
from typing import Any

from argosy.engine.platform import Machine
from argosy.engine.platform.probe import go_architecture, python_version

PLATFORM = "Argosy"


def version(
    machine: Machine,
    *,
    engine: str,
    api: str,
    minimum_api: str,
    commit: str = "",
    build_time: str = "",
    experimental: bool = False,
    components: Sequence[tuple[str, str, str]] = (),
) -> dict[str, Any]:
    """Return the answer. ``components``: (name, version, commit) of what stands beside the engine (runtime, init, etcd).

    ``GoVersion`` names the language that the engine runs on, which is what clients print it for.
    """
    language = f"python{python_version()}"
    architecture = go_architecture(machine.architecture)
    details = {
        "ApiVersion": api,
        "Arch": architecture,
        "BuildTime": build_time,
        "Experimental": str(experimental).lower(),
        "GitCommit": commit,
        "GoVersion": language,
        "KernelVersion": machine.kernel,
        "MinAPIVersion": minimum_api,
        "Os": "linux",
    }
    answer: dict[str, Any] = {
        "Platform": {"Name": PLATFORM},
        "Components": [
            {"Name": "Engine", "Version": engine, "Details": details},
            *({"Name": name, "Version": one, "Details": {"GitCommit": own}} for name, one, own in components),
        ],
        "Version": engine,
        "ApiVersion": api,
        "MinAPIVersion": minimum_api,
        "GitCommit": commit,
        "GoVersion": language,
        "Os": "linux",
        "Arch": architecture,
        "KernelVersion": machine.kernel,
    }
    if experimental:
        answer["Experimental"] = True
    if build_time:
        answer["BuildTime"] = build_time
    return answer
