"""Labels: what the policy says, what a container is given, what sharing and options change. As go-selinux and moby decide."""

import random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from argosy.base.errors import InvalidParameterError, SystemFailureError
from argosy.engine.labelling import Labelling
from argosy.engine.model import ContainerSpec, HostConfig
from argosy.engine.selinux import Context, Labels, Policy, choose, context, file_label, free_level, policy, relabelling, shared_options

CONTEXTS = """
process = "system_u:system_r:container_t:s0"
content = "system_u:object_r:virt_var_lib_t:s0"
# file = "not:this:one:s0"
file = "system_u:object_r:container_file_t:s0"
ro_file = "system_u:object_r:container_ro_file_t:s0"
"""
POLICY = policy(CONTEXTS)
assert POLICY is not None
PROCESS, FILE = "system_u:system_r:container_t:", "system_u:object_r:container_file_t:"


class Levels(random.Random):
    """Draws the given pairs, one after another."""

    def __init__(self, *pairs: list[int]) -> None:
        super().__init__()
        self._pairs = list(pairs)

    def sample(self, population: Any, k: int, **_: Any) -> Any:
        return self._pairs.pop(0)


def chosen(*options: str, taken: tuple[str, ...] = ()) -> Labels:
    return choose(options, POLICY, taken, Levels([7, 2], [8, 9]))


def test_the_policy_names_what_containers_are() -> None:
    file = Context("system_u", "object_r", "container_file_t", "s0")
    assert Policy(Context("system_u", "system_r", "container_t", "s0"), file, file._replace(type="container_ro_file_t")) == POLICY
    assert policy(CONTEXTS.replace("ro_file", "other")) == POLICY._replace(layers=file)
    assert policy("") is None and policy('process = "a:b"\nfile = "a:b:c"') is None


def test_a_label_is_its_parts_and_a_level_may_hold_colons() -> None:
    found = context("u:r:t:s0-s0:c0.c1023")
    assert found and found.level == "s0-s0:c0.c1023" and str(found) == "u:r:t:s0-s0:c0.c1023"
    assert str(context("u:r:t")) == "u:r:t"
    assert context("kernel") is None and context("u::t") is None


def test_processes_and_files_share_a_level_that_nobody_has() -> None:
    assert chosen() == (f"{PROCESS}s0:c2,c7", f"{FILE}s0:c2,c7")
    assert chosen(taken=(f"{PROCESS}s0:c2,c7", "", "kernel")) == (f"{PROCESS}s0:c8,c9", f"{FILE}s0:c8,c9")


def test_a_policy_without_levels_gives_none() -> None:
    plain = Policy(Context("u", "r", "container_t"), Context("u", "r", "file_t"), Context("u", "r", "ro_file_t"))
    assert choose((), plain, (), Levels()) == ("u:r:container_t", "u:r:file_t")
    assert choose(("disable",), plain, (), Levels()) == ("", "u:r:file_t")


@pytest.mark.parametrize(
    ("options", "process", "file"),
    [
        (("type:spc_t",), "system_u:system_r:spc_t:s0:c2,c7", f"{FILE}s0:c2,c7"),
        (("role:other_r",), "system_u:other_r:container_t:s0:c2,c7", f"{FILE}s0:c2,c7"),
        (("user:someone_u",), "someone_u:system_r:container_t:s0:c2,c7", "someone_u:object_r:container_file_t:s0:c2,c7"),
        (("level:s0:c100,c200",), f"{PROCESS}s0:c100,c200", f"{FILE}s0:c100,c200"),
        (("filetype:web_t",), f"{PROCESS}s0:c2,c7", "system_u:object_r:web_t:s0:c2,c7"),
        (("type:a_t", "type:b_t", "level:s0"), "system_u:system_r:b_t:s0", f"{FILE}s0"),
        (("disable",), "", f"{FILE}s0:c1022,c1023"),
        (("type:a_t", "disable"), "", f"{FILE}s0:c1022,c1023"),
    ],
)
def test_options_change_one_part_each(options: tuple[str, ...], process: str, file: str) -> None:
    assert chosen(*options) == (process, file)


def test_wrong_options_get_dockers_words() -> None:
    with pytest.raises(SystemFailureError) as unknown:
        chosen("colour:red")
    assert str(unknown.value) == "bad label option \"colour\", valid options 'disable, user, role, level, type, filetype'"
    with pytest.raises(SystemFailureError) as bare:
        chosen("red")
    assert (
        str(bare.value)
        == "bad label option \"red\", valid options 'disable' or \n'user, role, level, type, filetype' followed by ':' and a value"
    )


def test_the_private_level_is_never_drawn_and_running_out_is_told() -> None:
    assert free_level((), Levels([1023, 1022], [3, 4])) == "s0:c3,c4"
    everything = {f"s0:c{first},c{second}" for second in range(1024) for first in range(second)} - {"s0:c1022,c1023"}
    with pytest.raises(SystemFailureError, match="no SELinux categories are left"):
        free_level(everything, random.Random(1))


LABELS = {"one": f"{PROCESS}s0:c1,c2", "two": f"{PROCESS}s0:c3,c4", "bare": ""}
SAME = tuple(f"label={part}" for part in ("user:system_u", "role:system_r", "type:container_t", "level:s0:c1,c2"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HostConfig(), ()),
        (HostConfig(privileged=True), ("label=disable",)),
        (HostConfig(pid_mode="host"), ("label=disable",)),
        (HostConfig(ipc_mode="host"), ("label=disable",)),
        (HostConfig(privileged=True, security_opt=("label=level:s0:c1",)), ()),
        (HostConfig(privileged=True, security_opt=("apparmor=x",)), ("label=disable",)),
        (HostConfig(ipc_mode="container:one"), SAME),
        (HostConfig(pid_mode="container:one"), SAME),
        (HostConfig(pid_mode="container:one", ipc_mode="container:one"), SAME),
        (HostConfig(pid_mode="container:bare"), ()),
        (HostConfig(pid_mode="container:bare", ipc_mode="container:one"), SAME),
        (HostConfig(network_mode="container:one"), ()),
    ],
)
def test_who_shares_is_labelled_alike(host: HostConfig, expected: tuple[str, ...]) -> None:
    assert shared_options(host, LABELS.__getitem__) == expected


def test_nobody_can_be_like_two() -> None:
    with pytest.raises(InvalidParameterError, match="--ipc and --pid containers SELinux labels aren't the same"):
        shared_options(HostConfig(pid_mode="container:one", ipc_mode="container:two"), LABELS.__getitem__)


@pytest.mark.parametrize(
    ("mode", "expected"), [("z", "z"), ("Z", "Z"), ("ro,Z", "Z"), ("z,Z", "z"), ("ro", ""), ("", ""), ("rprivate,z", "z")]
)
def test_a_mode_asks_for_a_label(mode: str, expected: str) -> None:
    assert relabelling(mode) == expected


def test_shared_files_have_no_categories() -> None:
    label = f"{FILE}s0:c2,c7"
    assert file_label(label, shared=True) == f"{FILE}s0" and file_label(label, shared=False) == label
    assert file_label("u:r:t", shared=True) == "u:r:t"


def labelling(*specs: ContainerSpec, found: Policy | None = POLICY) -> Labelling:
    registry: Any = [SimpleNamespace(spec=spec) for spec in specs]
    return Labelling(registry=registry, policy=found, rng=Levels([1, 2], [1, 2], [3, 4]))


def test_what_is_being_given_and_what_exists_is_taken() -> None:
    spec = ContainerSpec(id="x", name="x", created=0, image_id="", process_label=f"{PROCESS}s0:c5,c6")
    giver = labelling(spec)
    with giver.labels(HostConfig()) as first, giver.labels(HostConfig()) as second:
        assert (first.process, second.process) == (f"{PROCESS}s0:c1,c2", f"{PROCESS}s0:c3,c4")
    giver = labelling(msgspec.structs.replace(spec, process_label=first.process))
    with giver.labels(HostConfig()) as third:
        assert third.process == f"{PROCESS}s0:c3,c4"


def test_without_a_policy_labels_are_not_even_read() -> None:
    with labelling(found=None).labels(HostConfig(security_opt=("label=colour:red",))) as labels:
        assert labels == ("", "")


def test_the_options_that_follow_are_shown() -> None:
    host = labelling(found=None).settle(HostConfig(privileged=True, security_opt=("apparmor=unconfined",)))
    assert host.security_opt == ("apparmor=unconfined", "label=disable")
    assert labelling().settle(HostConfig()).security_opt is HostConfig().security_opt
