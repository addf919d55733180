import os
import socket
import subprocess
import sys
from pathlib import Path

_SERVED = """
import asyncio, sys
sys.path[:0] = sys.argv[1:]
from argosy.api.listeners import open_listeners
from fakes.server import Api

async def main():
    api = Api("")
    for listener in open_listeners("fd://"):
        await api.server.listen(listener)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await api.server.close()

asyncio.run(main())
"""


def test_a_socket_from_systemd_is_served_and_left_in_place(tmp_path: Path) -> None:
    path = tmp_path / "activated.sock"
    root = Path(__file__).parents[3]
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
        made.listen()
        # What systemd does: the socket as descriptor 3, LISTEN_PID the process that will exec.
        launcher = f"import os; os.dup2({made.fileno()}, 3); os.environ['LISTEN_PID'] = str(os.getpid()); "
        launcher += f"os.execv({sys.executable!r}, [{sys.executable!r}, '-c', {_SERVED!r}, {str(root / 'tests')!r}])"
        environment = os.environ | {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "argosy.socket"}
        with subprocess.Popen(
            [sys.executable, "-c", launcher], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, pass_fds=(made.fileno(),)
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == b"ready\n"
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(10)
                    client.connect(str(path))
                    client.sendall(b"GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while data := client.recv(65536):
                        answer += data
                assert answer.endswith(b"OK")
            finally:
                process.stdin.close()
        assert path.exists()
