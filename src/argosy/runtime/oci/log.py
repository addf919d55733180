"""The log that callers read errors from: a JSON object or a line of logfmt each (``--log``, ``--log-format``)."""

import time

from argosy.runtime.oci.plainjson import dumps


def log_error(path: str, form: str, message: str) -> None:
    """Append one error; a log that cannot be written must not hide it (stderr has it too)."""
    if not path:
        return
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if form == "json":
        line = dumps({"level": "error", "msg": message, "time": moment})
    else:
        line = f'time="{moment}" level=error msg={dumps(message)}'
    try:
        with open(path, "a") as file:
            file.write(line + "\n")
    except OSError:
        pass
