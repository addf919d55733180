"""The OCI runtime configuration (config.json) as plain JSON values.

https://github.com/opencontainers/runtime-spec/blob/main/config.md, version 1.2. Kept as dictionaries with the
specification's own keys, because it is handed as it is to other runtimes (``--runtime runc``) and read by
``argosy-runtime`` without any third-party library. Built by `argosy.engine.spec`, read by `argosy.runtime.compile`.
"""

from typing import Any, TypedDict

VERSION = "1.2.0"


class User(TypedDict, total=False):
    uid: int
    gid: int
    umask: int
    additionalGids: list[int]
    username: str


class Process(TypedDict, total=False):
    terminal: bool
    consoleSize: dict[str, int]
    user: User
    args: list[str]
    env: list[str]
    cwd: str
    capabilities: dict[str, list[str]]
    rlimits: list[dict[str, Any]]
    noNewPrivileges: bool
    oomScoreAdj: int
    apparmorProfile: str
    selinuxLabel: str
    ioPriority: dict[str, Any]
    scheduler: dict[str, Any]


class Mount(TypedDict, total=False):
    destination: str
    type: str
    source: str
    options: list[str]
    uidMappings: list[dict[str, int]]
    gidMappings: list[dict[str, int]]


class RuntimeSpec(TypedDict, total=False):
    ociVersion: str
    root: dict[str, Any]
    process: Process
    hostname: str
    domainname: str
    mounts: list[Mount]
    hooks: dict[str, list[dict[str, Any]]]
    annotations: dict[str, str]
    linux: dict[str, Any]
    """namespaces, uidMappings, gidMappings, devices, cgroupsPath, resources, seccomp, sysctl, maskedPaths,
    readonlyPaths, rootfsPropagation, mountLabel, …"""
