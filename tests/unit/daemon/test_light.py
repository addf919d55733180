"""What a daemon that only waits does not hold in memory."""

import subprocess
import sys


def test_the_builder_is_read_at_the_first_build() -> None:
    code = "import sys, argosy.daemon.wiring; print(*(name for name in sys.modules if name.startswith('argosy.build.')))"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "argosy.build.builder" in names
    assert not {"argosy.build.building", "argosy.build.dockerfile.ast", "argosy.build.instructions.copy"} & set(names)
