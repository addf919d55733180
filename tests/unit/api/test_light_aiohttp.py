import subprocess
import sys


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def test_the_server_does_not_import_the_client() -> None:
    assert (
        _run("import sys, argosy.api.server; print('aiohttp.client' in sys.modules, 'aiohttp.connector' in sys.modules)") == "False False"
    )


def test_the_rest_of_aiohttp_is_there_when_asked_for() -> None:
    code = "import argosy.api.server, aiohttp; from aiohttp import ClientSession, web; print(aiohttp.ClientSession is ClientSession)"
    assert _run(code) == "True"
    assert _run("import argosy.api, aiohttp.web_server, aiohttp; print(aiohttp.web_server.Server.__name__)") == "Server"


def test_an_aiohttp_imported_before_is_left_alone() -> None:
    assert (
        _run("import aiohttp, sys; before = sys.modules['aiohttp']; import argosy.api.server; print(sys.modules['aiohttp'] is before)")
        == "True"
    )
