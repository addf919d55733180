import pytest

from argosy.build.dockerfile.args import Platform
from argosy.build.emulation import refusal

ARM64 = Platform("linux", "arm64")
MAGIC = "7f454c460201010000000000000000000200b700"


def handler(*, state="enabled", flags="OCF", magic=MAGIC):
    return f"{state}\ninterpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\nflags: {flags}\noffset 0\nmagic {magic}\nmask ffffff\n"


@pytest.mark.parametrize("platform", [Platform("linux", "amd64"), Platform("linux", "386"), Platform("linux", "")])
def test_what_the_processor_runs_needs_nobody(platform):
    assert refusal(platform, "amd64", []) == ""


def test_a_handler_with_the_fixed_flag_is_enough_whatever_its_name():
    assert refusal(ARM64, "amd64", ["enabled\n", handler()]) == ""
    big = "7f454c4602020100000000000000000000020016"
    assert refusal(Platform("linux", "s390x"), "amd64", [handler(magic=big)]) == ""


@pytest.mark.parametrize(
    "handlers", [[], [handler(state="disabled")], [handler(magic=MAGIC.replace("b700", "f300"))], [handler(magic="7f45")]]
)
def test_without_one_the_words_name_handler_and_package(handlers):
    words = refusal(ARM64, "amd64", handlers)
    assert "linux/arm64" in words and "qemu-aarch64" in words and "qemu-user-static" in words


def test_without_the_flag_the_words_say_so():
    assert "not registered with the flag F" in refusal(ARM64, "amd64", [handler(flags="OC")])
    assert "cannot run on linux" in refusal(Platform("windows", "amd64"), "amd64", [])
