"""``argosy-registry``: serve, or collect garbage."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable

from argosy.base.errors import ArgosyError
from argosy.registry import commandline
from argosy.registry.config import Config, load


def main() -> None:
    """Exit 0 after SIGTERM or when all is done, 1 with one line that says why not, 2 for bad usage."""
    given = commandline.parse(sys.argv[1:])
    try:
        config = load(given.config, given.flags)
        logging.basicConfig(
            level=config.log_level.upper(), format="time=%(asctime)s level=%(levelname)s msg=%(message)s", stream=sys.stderr
        )
        logging.getLogger("asyncio").setLevel(logging.WARNING)
        os.umask(0o022)
        if given.command == "gc":
            from argosy.registry.gc.command import collect

            collect(config, dry_run=given.dry_run, as_json=given.json, write=print)
            return
        asyncio.run(_serve(config, given.words))
    except ArgosyError as error:
        print(f"argosy-registry: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from error


async def _serve(config: Config, words: list[str]) -> None:
    from argosy.registry.wiring import serve

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def reloading(act: Callable[[], None]) -> None:
        loop.add_signal_handler(signal.SIGHUP, act)

    await serve(config, words, ended, reloading)


if __name__ == "__main__":
    main()
