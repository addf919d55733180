import pytest

from argosy.base.errors import InvalidParameterError
from argosy.build.dockerfile.changes import apply
from argosy.oci.config import Config, Healthcheck

SECOND = 10**9


@pytest.mark.parametrize(
    ("change", "config"),
    [
        ('CMD ["a", "b"]', Config(cmd=("a", "b"))),
        ("CMD echo hi", Config(cmd=("/bin/sh", "-c", "echo hi"))),
        ("cmd echo", Config(cmd=("/bin/sh", "-c", "echo"))),
        ("CMD []", Config(cmd=())),
        ('ENTRYPOINT ["x"]', Config(entrypoint=("x",))),
        ("ENV A=1 B='two words' C=\"x y\"", Config(env=("A=1", "B=two words", "C=x y"))),
        ("ENV A the rest of it", Config(env=("A=the rest of it",))),
        ("EXPOSE 80 53/udp 8000-8002/TCP", Config(exposed_ports={p: {} for p in ("80/tcp", "53/udp", "8000/tcp", "8001/tcp", "8002/tcp")})),
        ("USER 1000:1000", Config(user="1000:1000")),
        ("VOLUME /a /b", Config(volumes={"/a": {}, "/b": {}})),
        ('VOLUME ["/a b"]', Config(volumes={"/a b": {}})),
        ("WORKDIR a/../b", Config(working_dir="/b")),
        ("LABEL a=b \"c d\"='e f'", Config(labels={"a": "b", "c d": "e f"})),
        ("ONBUILD RUN x", Config(on_build=("RUN x",))),
        ("STOPSIGNAL SIGTERM", Config(stop_signal="SIGTERM")),
        ("STOPSIGNAL 9", Config(stop_signal="9")),
        ("HEALTHCHECK NONE", Config(healthcheck=Healthcheck(test=("NONE",)))),
        (
            "HEALTHCHECK --interval=5s --retries=2 --start-period=1m CMD curl x",
            Config(healthcheck=Healthcheck(test=("CMD-SHELL", "curl x"), interval=5 * SECOND, retries=2, start_period=60 * SECOND)),
        ),
        ('HEALTHCHECK CMD ["a"]', Config(healthcheck=Healthcheck(test=("CMD", "a")))),
        ("ENV A=1\nUSER x", Config(env=("A=1",), user="x")),
        ("# nothing", Config()),
    ],
)
def test_a_change_sets_what_it_says(change, config):
    assert apply(Config(), [change]) == config


def test_changes_build_on_what_is_there():
    base = Config(env=("PATH=/bin", "A=0"), labels={"x": "1"}, working_dir="/w", cmd=("old",), shell=("/bin/bash", "-c"))
    changed = apply(base, ["ENV A=1 P=$PATH:/x", "LABEL y=${A}", "WORKDIR sub", "CMD hi", "EXPOSE ${PORT:-80}"])
    assert changed.env == ("PATH=/bin", "A=1", "P=/bin:/x")
    assert changed.labels == {"x": "1", "y": "1"}
    assert changed.working_dir == "/w/sub"
    assert changed.cmd == ("/bin/bash", "-c", "hi")
    assert changed.exposed_ports == {"80/tcp": {}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("RUN x", "run is not a valid change command"),
        ("COPY a b", "copy is not a valid change command"),
        ("FOO x", "unknown instruction: FOO"),
        ("ENV", "ENV requires at least one argument"),
        ("ENV A", "ENV must have two arguments"),
        ("ENV =x", "ENV names can not be blank"),
        ("ENV A=1 B", "can't find = in"),
        ("EXPOSE x", "invalid containerPort: x"),
        ("EXPOSE 70000", "invalid containerPort: 70000"),
        ("ONBUILD ONBUILD x", "Chaining ONBUILD"),
        ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
        ("STOPSIGNAL ?", "invalid signal: ?"),
        ("HEALTHCHECK x", "Unknown type"),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK --interval=1 CMD x", "invalid duration"),
        ("HEALTHCHECK --nope=1 CMD x", "unknown flag: --nope"),
        ("USER", "USER requires exactly one argument"),
        ('LABEL "a', "LABEL must have two arguments"),
    ],
)
def test_bad_changes_are_refused(change, words):
    with pytest.raises(InvalidParameterError) as caught:
        apply(Config(), [change])
    assert words in str(caught.value)
