"""Builds for another platform than this host's."""

from pathlib import Path

import pytest

from argosy.images.compose import host_architecture
from support.builds import build

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]

OTHER = "riscv64" if host_architecture() != "riscv64" else "s390x"


def test_files_of_another_platform_need_no_handler_and_the_arguments_are_right(argosyd):
    own = f"linux/{host_architecture()}"
    text = (
        "FROM --platform=$BUILDPLATFORM busybox AS tool\nARG TARGETPLATFORM\nARG BUILDPLATFORM\nARG TARGETARCH\n"
        "RUN echo to $TARGETPLATFORM $TARGETARCH on $BUILDPLATFORM > /said; cat /said\nFROM scratch\nCOPY --from=tool /said /\n"
    )
    found = build(argosyd, text, platform=f"linux/{OTHER}", t="x")
    assert found.error == "" and f"to linux/{OTHER} {OTHER} on {own}\n" in found.text
    view = argosyd.api("GET", "/images/x/json")
    assert (view["Os"], view["Architecture"]) == ("linux", OTHER)


@pytest.mark.skipif(Path(f"/proc/sys/fs/binfmt_misc/qemu-{OTHER}").exists(), reason="this machine runs programs of that platform")
def test_a_program_of_another_platform_without_handler_is_refused_in_clear_words(argosyd):
    text = "FROM scratch\nCOPY f /f\nRUN true\n"
    found = build(argosyd, text, {"f": "x"}, platform=f"linux/{OTHER}")
    assert f"no binfmt_misc handler for {OTHER} (qemu-{OTHER}) is enabled; install qemu-user-static" in found.error
    assert build(argosyd, "FROM scratch\nCOPY f /f\n", {"f": "x"}, platform=f"linux/{OTHER}", t="y").error == ""
    refused = build(argosyd, "FROM y\nRUN true\n")
    assert f"linux/{OTHER}" in refused.error
