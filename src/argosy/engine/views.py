"""A container as clients see it at one moment."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from argosy.base.errors import ArgosyError
from argosy.engine import networking
from argosy.engine.confinement import Confinement
from argosy.engine.container import Container
from argosy.engine.container_view import ContainerView
from argosy.engine.model import Status
from argosy.engine.paths import ContainerPaths
from argosy.engine.ports import Images, Networks, Snapshots
from argosy.network.model import Endpoint


class Viewer:
    def __init__(self, *, images: Images, networks: Networks, snapshots: Snapshots, confinement: Confinement, data_root: str) -> None:
        self._images = images
        self._networks = networks
        self._snapshots = snapshots
        self._confinement = confinement
        self._data_root = data_root
        self._made: WeakKeyDictionary[Container, tuple[int, ContainerView]] = WeakKeyDictionary()
        """Lists are asked for all the time and containers change rarely: one view a generation."""

    def view(self, container: Container, *, size_rw: int | None = None, size_root_fs: int | None = None) -> ContainerView:
        name = self._images.display_name(container.spec.image_id, container.spec.config.image)
        sized = size_rw is not None or size_root_fs is not None
        if not sized and (made := self._made.get(container)) and made[0] == container.generation and made[1].image_name == name:
            return made[1]
        view = self._view(container, name, size_rw, size_root_fs)
        if not sized:
            self._made[container] = (container.generation, view)
        return view

    def _view(self, container: Container, name: str, size_rw: int | None, size_root_fs: int | None) -> ContainerView:
        spec = container.spec
        paths = ContainerPaths(self._data_root, spec.id)
        started = bool(container.state.started_at)
        return ContainerView(
            spec=spec,
            state=container.state,
            generation=container.generation,
            image_name=name,
            endpoints=self._endpoints(container),
            endpoint_settings=container.endpoint_settings(),
            ports=dict(container.sandbox.ports),
            exec_ids=tuple(exec_id for exec_id, run in container.execs.items() if run.state.running),
            graph_driver=spec.driver,
            graph_data=self._snapshots.graph_data(spec.id),
            image_manifest=self._manifest(spec.image_manifest),
            paths={
                "resolv_conf": paths.resolv_conf if started else "",
                "hostname": paths.hostname if started else "",
                "hosts": paths.hosts if started else "",
                "log": spec.log_path if started or container.state.status is not Status.CREATED else "",
            },
            apparmor=self._confinement.apparmor(spec) if started else "",
            size_rw=size_rw,
            size_root_fs=size_root_fs,
        )

    def _endpoints(self, container: Container) -> dict[str, Endpoint]:
        """Of a container that does not run: the networks it will join, without addresses."""
        found = container.endpoints()
        if networking.joined(container.spec.host.network_mode) is None:
            for name in container.spec.networks:
                if name not in found:
                    found[name] = Endpoint(network_id=self._network_id(name, container))
        return found

    def _network_id(self, name: str, container: Container) -> str:
        if not container.state.started_at:
            return ""
        try:
            return self._networks.find(name).id
        except ArgosyError:
            return ""

    @staticmethod
    def _manifest(digest: str) -> Mapping[str, Any] | None:
        if not digest:
            return None
        return {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 0}
