"""Why something of Docker's is not here, or is here and does less. The only part of the page that is written by hand."""

SWARM = "swarm mode is not served yet"
WINDOWS = "of Windows alone; without effect, as with Docker on Linux"
TRUST = "accepted, without effect: content trust (Notary v1) is out of scope"
BUILDX = "a plugin of docker's client, which works with argosyd (docs/design/buildkit.md); `argosy build` needs no plugin"
COMPOSE = "a program of its own, which works with argosyd: `docker compose`, or `docker-compose` with DOCKER_HOST"
CLUSTER = "cluster volumes (CSI) are of swarm mode"

COMMANDS: dict[str, str] = {
    "buildx": BUILDX,
    "checkpoint": "checkpoints need CRIU, which does not work on current kernels; the API refuses them too (501)",
    "compose": COMPOSE,
    "config": SWARM,
    "manifest": "`docker manifest` speaks to registries without a daemon, and works beside argosy",
    "node": SWARM,
    "plugin": "managed plugins are not served: drivers are built in",
    "secret": SWARM,
    "service": SWARM,
    "stack": SWARM,
    "swarm": SWARM,
    "trust": "content trust (Notary v1) is out of scope",
    "volume update": CLUSTER,
}
"""Command, or the words that several commands begin with → why `argosy` has it not."""

FLAGS: dict[str, str] = {
    **dict.fromkeys(
        (
            f"volume create --{name}"
            for name in (
                *("availability", "group", "limit-bytes", "required-bytes", "scope", "secret", "sharing"),
                *("topology-preferred", "topology-required", "type"),
            )
        ),
        CLUSTER,
    ),
    "volume ls --cluster": CLUSTER,
}
"""``command --flag`` → why a command that is here lacks it."""

LIMITED: dict[str, str] = {
    "--disable-content-trust": TRUST,
    **dict.fromkeys(("--cpu-count", "--cpu-percent", "--io-maxbandwidth", "--io-maxiops"), WINDOWS),
    "--log-level": "accepted, without effect: the client writes no log",
    "image build --compress": "accepted, without effect: the daemon's socket is near",
    "--isolation": "of Windows; any value but `default` is refused, as by Docker on Linux",
    "container start --checkpoint": "refused (501): checkpoints are not served",
    "container start --checkpoint-dir": "refused (501): checkpoints are not served",
    "network create --attachable": "kept and shown; it has a meaning in swarm mode alone",
    "network create --ingress": f"{SWARM}: there is no network of that kind",
    "network create --scope": f"{SWARM}: a network is of this host",
}
"""``command --flag`` (the long form of the command), or ``--flag`` of every command → what a flag that is accepted does less."""

BUILD: dict[str, str] = {
    **dict.fromkeys(("allow", "annotation", "attest", "provenance", "sbom"), "attestations and annotations are not made"),
    **dict.fromkeys(("call", "check"), "a Dockerfile is checked when it is built; there is no other question to a frontend"),
    **dict.fromkeys(("builder", "debug"), "of buildx itself, which knows several builders"),
    "load": "what is built is in the image store already",
    "metadata-file": "use --iidfile",
    "output": "an image is the only output; see `argosy save` and `argosy cp`",
    "push": "build, then `argosy push`",
    "ssh": "agents are forwarded by `docker buildx build` alone",
}
"""Flag of ``docker buildx build`` → why `argosy build` lacks it."""

HIDDEN = {
    *("--dns-opt", "--net", "--net-alias", "--time", "volume create --name"),
    *("completion", "system dial-stdio"),
}
"""Flags and commands of docker's that its ``--help`` does not list, and so docker.json has not."""

ANSWERS: dict[str, str] = {
    "This node is not a swarm manager.": SWARM,
    "volume update only valid": CLUSTER,
    "This node is not part of a swarm": SWARM,
    'plugin "NAME" not found': "no plugin is ever there",
}
"""How the words of an answer begin → what they mean, where the words alone tell too little or too much."""

ROUTES: dict[str, str] = {
    "POST /build/cancel": "moby's: end a build",
    "GET /containers/{id}/checkpoints": "moby's",
    "POST /containers/{id}/checkpoints": "moby's",
    "DELETE /containers/{id}/checkpoints/{checkpoint}": "moby's",
    "GET /containers/{id}/execs": "ours: the programs that exec runs",
    "POST /exec/{id}/kill": "ours: a signal to a program that exec runs",
    "POST /grpc": "moby's: BuildKit, for buildx",
    "GET /networks/": "moby's: as /networks",
    "POST /networks/{id}/bandwidth": "ours: limits of a connected container's link",
    "GET /ports": "ours: the published ports of all containers",
}
"""Route that the API description has not → what it is."""

DAEMON: dict[str, str] = {
    "allow-direct-routing": "published ports are open or shut to other hosts by --firewall-policy",
    "experimental": "nothing is hidden behind it",
    "feature": "no feature of dockerd's list has a meaning here",
    "network-control-plane-mtu": SWARM,
    "node-generic-resource": SWARM,
    "swarm-default-advertise-addr": SWARM,
}
"""Flag of dockerd that is accepted without effect → why, where argosyd's own table says nothing."""

OUT_OF_SCOPE: dict[str, str] = {
    "Content trust (Notary v1)": "`docker trust`, `--disable-content-trust`: retired by Docker itself",
    "Docker Scout": "a service of Docker's, reached by a plugin of its client",
    "CRI": "Kubernetes' interface to container runtimes; `--cri-containerd` is refused",
    "Windows containers": "flags and fields of Windows are read and have no effect",
    "Plugins from a hub": "`docker plugin install` and the routes below /plugins: drivers are built in",
}

FILE_KEYS: dict[str, str] = {
    "allow-nondistributable-artifacts": "without effect, and the log says so: dockerd reads it and does nothing with it",
    "api-cors-header": "refused as an unknown key; dockerd refuses it too",
    "builder": "without effect, and the log says so: the build cache is bounded by disk-high-watermark and `builder prune`",
    "deprecated-key-path": "refused as an unknown key: there is no such key file",
    "proxies": "works: http-proxy, https-proxy and no-proxy",
}
"""Key of daemon.json that is no flag → what becomes of it."""
