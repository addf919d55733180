"""What a daemon does not start without."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root


def test_without_control_groups_it_says_so_and_makes_nothing(tmp_path: Path) -> None:
    flags = f"--data-root {tmp_path}/data --exec-root {tmp_path}/exec --pidfile {tmp_path}/pid -H unix://{tmp_path}/sock"
    script = f"umount -R -l /sys && mount -t sysfs none /sys && exec {sys.executable} -m argosy.daemon {flags}"
    done = subprocess.run(["unshare", "-m", "-n", "sh", "-ec", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("argosyd: no control groups are mounted here") and "nsenter" in done.stderr
    assert list(tmp_path.iterdir()) == []
