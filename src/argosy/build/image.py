"""The image that comes of a stage's state. Pure."""

from typing import Any

import msgspec

from argosy.base.clock import rfc3339_nano
from argosy.build.inline import written
from argosy.build.solve.state import State
from argosy.images.record import nanoseconds
from argosy.oci.config import Config
from argosy.oci.image import History, ImageConfig, RootFs, to_wire
from argosy.storage.layer import chain_ids


def image_config(state: State, diff_ids: tuple[str, ...], *, epoch: int, inline: bool = False) -> ImageConfig:
    """Return the configuration; ``inline``: it tells what steps made it.

    It was created when its last step was, or at ``epoch`` (seconds) where that is given.
    """
    config = state.config
    history = state.history
    told = written(state.steps, chain_ids(list(diff_ids))) if inline else None
    created = max((nanoseconds(entry.created) for entry in history), default=0)
    if epoch >= 0:
        moment = rfc3339_nano(epoch * 1_000_000_000) if epoch else "1970-01-01T00:00:00Z"
        inherited = len(state.base.config.history or ()) if state.base is not None else 0
        history = (*history[:inherited], *(_dated(entry, moment) for entry in history[inherited:]))
        return _config(state, config, diff_ids, history, moment, told)
    return _config(state, config, diff_ids, history, rfc3339_nano(created), told)


def _dated(entry: History, moment: str) -> History:
    return msgspec.structs.replace(entry, created=moment)


def _config(state: State, config: Config, diff_ids: tuple[str, ...], history: tuple[History, ...], created: str, told: Any) -> ImageConfig:
    return ImageConfig(
        architecture=state.platform.architecture,
        variant=state.platform.variant,
        os=state.platform.os,
        created=created,
        author=state.author,
        config=to_wire(config),
        rootfs=RootFs(diff_ids=diff_ids),
        history=history,
        build_cache=told,
    )
