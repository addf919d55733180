"""A web application of a few lines, with packages from PyPI."""

import signal
import sys

from flask import Flask
from waitress import serve

app = Flask(__name__)


@app.get("/")
def page() -> str:
    """Return the only page."""
    return f"<!doctype html>\n<title>argosy</title>\n<h1>It works: flask on Python {sys.version.split()[0]}.</h1>\n"


if __name__ == "__main__":
    # Process 1 of a container gets no signal that it has no handler for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(app, listen="*:8080", threads=2)
