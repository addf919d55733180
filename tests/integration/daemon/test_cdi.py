"""A made-up device of a vendor in a container: nodes, mounts, variables; and what ``info`` tells of it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.daemon.steps import said
from support.daemon import Daemon

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def test_a_described_device_is_in_the_container(daemons: Callable[..., Daemon], tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "driver").write_text("driver\n")
    edits = {
        "env": ["THING=one"],
        "deviceNodes": [{"path": "/dev/thing", "hostPath": "/dev/zero"}],
        "mounts": [{"hostPath": f"{tmp_path}/lib", "containerPath": "/opt/thing", "options": ["ro"]}],
    }
    folder = tmp_path / "cdi"
    folder.mkdir()
    daemon = daemons(arguments=["--cdi-spec-dir", str(folder)])
    assert daemon.api("GET", "/info")["CDISpecDirs"] == [str(folder)]
    # Installed while the daemon runs.
    text = {"cdiVersion": "0.6.0", "kind": "vendor.com/thing", "devices": [{"name": "one", "containerEdits": edits}]}
    (folder / "vendor.json").write_text(json.dumps(text))
    assert daemon.api("GET", "/info")["DiscoveredDevices"] == [{"Source": "cdi", "ID": "vendor.com/thing=one"}]
    script = "echo $THING; cat /opt/thing/driver; head -c 3 /dev/thing | od -An -tx1; touch /opt/thing/x 2>&1 | grep -o Read-only"
    asked = [{"Driver": "cdi", "DeviceIDs": ["vendor.com/thing=one"]}]
    assert said(daemon, script, DeviceRequests=asked).split() == ["one", "driver", "00", "00", "00", "Read-only"]
    done = daemon.argosy("run", "--rm", "--device", "vendor.com/thing=one", "busybox", "sh", "-c", "echo $THING; test -c /dev/thing")
    assert (done.returncode, done.stdout) == (0, "one\n"), done.stderr
    refused = daemon.argosy("run", "--rm", "--gpus", "all", "busybox", "true")
    assert 'could not select device driver "" with capabilities: [[gpu]]' in refused.stderr
    assert refused.returncode == 125
