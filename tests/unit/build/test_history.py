from argosy.build import history
from argosy.build.dockerfile import parse


def only(line):
    return parse(f"FROM x\n{line}\n".encode(), "Dockerfile").stages[0].instructions[0]


def test_a_run_shows_its_arguments_and_shell():
    assert history.run(("/bin/sh", "-c", "make it"), ()) == "RUN /bin/sh -c make it # buildkit"
    assert history.run(("/bin/sh", "-c", "make"), (("A", "1"), ("B", "2"))) == "RUN |2 A=1 B=2 /bin/sh -c make # buildkit"


def test_copies_are_written_as_buildkit_writes_them():
    assert history.copy(only("COPY --chown=1:2 a b /dst/")) == "COPY --chown=1:2 a b /dst/ # buildkit"
    assert history.copy(only("ADD x.tgz /")) == "ADD x.tgz / # buildkit"


def test_configuration_is_written_without_a_mark():
    assert history.plain(only("ENV a=b c=d")) == "ENV a=b c=d"
    assert history.plain(only('CMD ["a", "b c"]'), ("a", "b c")) == 'CMD ["a" "b c"]'
    assert history.plain(only("EXPOSE 80 90/udp")) == "EXPOSE [80/tcp 90/udp]"
    assert history.plain(only("VOLUME /a /b")) == "VOLUME [/a /b]"
    assert history.plain(only("WORKDIR /w")) == "WORKDIR /w"
