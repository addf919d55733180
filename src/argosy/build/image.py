"""The image that comes of a stage's state. Pure."""

import msgspec

from argosy.base.clock import rfc3339_nano
from argosy.build.solve.state import State
from argosy.images.record import nanoseconds
from argosy.oci.config import Config
from argosy.oci.image import History, ImageConfig, RootFs, to_wire


def image_config(state: State, diff_ids: tuple[str, ...], *, epoch: int) -> ImageConfig:
    """Return the configuration. It was created when its last step was, or at ``epoch`` (seconds) where that is given."""
    config = state.config
    history = state.history
    created = max((nanoseconds(entry.created) for entry in history), default=0)
    if epoch >= 0:
        moment = rfc3339_nano(epoch * 1_000_000_000) if epoch else "1970-01-01T00:00:00Z"
        inherited = len(state.base.config.history or ()) if state.base is not None else 0
        history = (*history[:inherited], *(_dated(entry, moment) for entry in history[inherited:]))
        return _config(state, config, diff_ids, history, moment)
    return _config(state, config, diff_ids, history, rfc3339_nano(created))


def _dated(entry: History, moment: str) -> History:
    return msgspec.structs.replace(entry, created=moment)


def _config(state: State, config: Config, diff_ids: tuple[str, ...], history: tuple[History, ...], created: str) -> ImageConfig:
    return ImageConfig(
        architecture=state.platform.architecture,
        variant=state.platform.variant,
        os=state.platform.os,
        created=created,
        author=state.author,
        config=to_wire(config),
        rootfs=RootFs(diff_ids=diff_ids),
        history=history,
    )
