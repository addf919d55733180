import json

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.daemon.config import address_pools, exec_options, hosts, load, merge, runtimes, ulimits
from argosy.daemon.flags import FLAGS
from argosy.engine.model import Ulimit

ABSENT = ["--config-file", "/nonexistent/daemon.json"]


def config(*words: str, file: dict | None = None, tmp_path=None):
    if file is None:
        return load(list(words))
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps(file))
    return load(["--config-file", str(path), *words])


def test_without_anything_the_socket_is_ours():
    made = merge({}, {}, "")
    assert hosts(made) == ("unix:///run/argosy.sock",)
    assert made["data_root"] == "/var/lib/argosy"


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        (["-H", "unix:///a", "-Hunix:///b"], "hosts", ("unix:///a", "unix:///b")),
        (["--iptables=false"], "iptables", False),
        (["--mtu", "1400"], "mtu", 1400),
        (["--log-opt", "max-size=5m", "--log-opt=max-file=2"], "log_opts", {"max-size": "5m", "max-file": "2"}),
        (["-g"], None, None),
        (["-D"], "debug", True),
    ],
)
def test_flags_are_read_as_pflag_reads_them(words, key, value):
    if key is None:
        with pytest.raises(InvalidParameterError, match="unknown shorthand flag"):
            merge_words(words)
    else:
        assert merge_words(words)[key] == value


def merge_words(words):
    from argosy.daemon.commandline import parse

    return merge(parse(words), {}, "")


def test_a_missing_file_matters_only_when_it_was_asked_for():
    with pytest.raises(InvalidParameterError, match="no such file or directory"):
        load(ABSENT)


def test_unknown_keys_are_refused_in_dockerds_words(tmp_path):
    with pytest.raises(InvalidParameterError, match="the following directives don't match any configuration option: foo"):
        config(file={"foo": 1}, tmp_path=tmp_path)


def test_what_only_a_docker_knows_is_passed_over_and_said(tmp_path):
    found = config(file={"builder": {"gc": {"enabled": True, "defaultKeepStorage": "20GB"}}, "debug": True}, tmp_path=tmp_path)
    assert found["debug"] is True
    assert [warning.partition(" in ")[0] for warning in found.warnings] == ["builder"] and "has no effect" in found.warnings[0]


def test_a_directive_in_both_places_is_refused(tmp_path):
    with pytest.raises(InvalidParameterError) as error:
        config("-H", "unix:///y", file={"hosts": ["unix:///x"]}, tmp_path=tmp_path)
    assert "hosts: (from flag: [unix:///y], from file: [unix:///x])" in str(error.value)


def test_plain_tcp_must_be_meant(tmp_path):
    with pytest.raises(InvalidParameterError, match="--tls=false"):
        config("-H", "tcp://127.0.0.1:2375", file={}, tmp_path=tmp_path)
    meant = config("-H", "tcp://127.0.0.1:2375", "--tls=false", file={}, tmp_path=tmp_path)
    assert hosts(meant) == ("tcp://127.0.0.1:2375",)


def test_values_of_several_parts_are_read(tmp_path):
    made = config(
        "--default-ulimit", "nofile=1:2", "--add-runtime", "runc=/usr/sbin/runc", "--exec-opt", "native.cgroupdriver=systemd",
        "--default-address-pool", "base=10.1.0.0/16,size=24", file={}, tmp_path=tmp_path,
    )  # fmt: skip
    assert ulimits(made) == (Ulimit("nofile", 1, 2),)
    assert runtimes(made) == {"runc": "/usr/sbin/runc"}
    assert exec_options(made) == {"native.cgroupdriver": "systemd"}
    assert address_pools(made) == (("10.1.0.0/16", 24),)


def test_the_files_own_forms_are_read(tmp_path):
    made = config(
        file={
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 2}},
            "runtimes": {"crun": {"path": "/usr/bin/crun"}},
            "default-address-pools": [{"base": "10.1.0.0/16", "size": 24}],
            "log-opts": {"max-size": "1m"},
        },
        tmp_path=tmp_path,
    )
    assert ulimits(made) == (Ulimit("nofile", 1, 2),)
    assert runtimes(made) == {"crun": "/usr/bin/crun"}
    assert address_pools(made) == (("10.1.0.0/16", 24),)
    assert made["log_opts"] == {"max-size": "1m"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rootless"], "--rootless is not supported"),
        (["--label", "x"], "bad attribute format: x"),
        (["--log-level", "loud"], "invalid logging level"),
        (["--exec-opt", "native.cgroupdriver=x"], "is invalid"),
        (["--data-root", "rel"], "must be an absolute path"),
        (["--default-ulimit", "nofile=x"], "invalid ulimit argument"),
        (["--bip", "10.0.0.1/24", "-b", "br0"], "mutually exclusive"),
        (["-H", "udp://x"], "unsupported proto"),
        (["--mtu", "x"], "not a number"),
        (["--iptables=maybe"], "invalid syntax"),
        (["--nope"], "unknown flag: --nope"),
        (["--mtu"], "flag needs an argument"),
        (["start"], "unknown command"),
    ],
)
def test_bad_values_are_named(words, message):
    with pytest.raises(InvalidParameterError, match=message):
        merge_words(words)


def test_a_flag_without_effect_warns():
    assert merge_words(["--live-restore=false"]).warnings == ("--live-restore=false has no effect: containers always outlive the daemon",)


def test_no_flag_stands_twice():
    assert len({flag.name for flag in FLAGS}) == len(FLAGS)
    assert len({flag.file_key for flag in FLAGS}) == len(FLAGS)
