"""The official docker CLI builds with the classic builder."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support.docker_cli import Docker

TREE = {
    "a.txt": "a\n",
    "b.txt": "b\n",
    "dir/one": "1\n",
    "dir/sub/two": "2\n",
    "other/sub/three": "3\n",
    "ignored/x": "x\n",
    "ignored/kept": "k\n",
    ".dockerignore": "ignored/*\n!ignored/kept\n",
}


@pytest.fixture(autouse=True)
def classic(docker: Docker) -> None:
    docker.environ["DOCKER_BUILDKIT"] = "0"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    _write(tmp_path, TREE)
    (tmp_path / "link").symlink_to("a.txt")
    (tmp_path / "dirlink").symlink_to("dir")
    return tmp_path


@pytest.fixture
def image(docker: Docker) -> Iterator[str]:
    name = docker.name("built")
    yield name
    docker.run("rmi", "-f", name)


def _write(place: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_build_from_the_cache_gives_the_same_image(docker: Docker, place: Path, image: str) -> None:
    (place / "Dockerfile").write_text("FROM busybox\nENV A=1\nCOPY a.txt /a\nRUN cat /a > /b\nCMD cat /b\n")
    first = docker.run("build", "-t", image, str(place))
    assert "Step 1/5 : FROM busybox" in first and f"Successfully tagged {image}:latest" in first
    identity = docker.run("images", "-q", "--no-trunc", image)
    again = docker.run("build", "-t", image, str(place))
    assert again.count("Using cache") == 4
    assert docker.run("images", "-q", "--no-trunc", image) == identity
    assert docker.run("run", "--rm", image) == "a"
    assert docker.run("build", "-q", str(place)) == identity


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("COPY a.txt /x", ["/x"]),
        ("COPY a.txt /x/", ["/x", "/x/a.txt"]),
        ("COPY a.txt b.txt /x/", ["/x", "/x/a.txt", "/x/b.txt"]),
        ("COPY *.txt /x/", ["/x", "/x/a.txt", "/x/b.txt"]),
        ("COPY dir /x", ["/x", "/x/one", "/x/sub", "/x/sub/two"]),
        ("COPY dir/ /x/", ["/x", "/x/one", "/x/sub", "/x/sub/two"]),
        ("COPY dir other /x/", ["/x", "/x/one", "/x/sub", "/x/sub/three", "/x/sub/two"]),
        ("COPY d*/sub /x/", ["/x", "/x/two"]),
        ("COPY link /x", ["/x"]),
        ("COPY dirlink /x", ["/x", "/x/one", "/x/sub", "/x/sub/two"]),
        ("COPY ignored /x", ["/x", "/x/kept"]),
        ("RUN mkdir /real && ln -s /real /x\nCOPY a.txt /x/", ["/x"]),
        ("RUN mkdir /x\nCOPY a.txt /x", ["/x", "/x/a.txt"]),
        ("WORKDIR /x/y\nCOPY a.txt .", ["/x", "/x/y", "/x/y/a.txt"]),
        ("COPY a.txt x/y", ["/x", "/x/y"]),
    ],
)
def test_where_copies_end_up(docker: Docker, place: Path, image: str, line: str, found: list[str]) -> None:
    (place / "Dockerfile").write_text(f"FROM busybox\n{line}\n")
    docker.run("build", "-t", image, str(place))
    assert sorted(docker.run("run", "--rm", image, "find", "/x").split()) == found
    owners = docker.run("run", "--rm", image, "find", "/x", "-exec", "stat", "-c", "%u:%g", "{}", ";")
    assert set(owners.split()) == {"0:0"}


_MISSING = "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist"
_SEVERAL = "When using COPY with more than one source file, the destination must be a directory and end with a /"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "FROM busybox\nCOPY nope /x\n",
            "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist",
        ),
        ("FROM busybox\nCOPY *.nope /x\n", "COPY failed: no source files were specified"),
        (
            "FROM busybox\nCOPY a.txt b.txt /x\n",
            "When using COPY with more than one source file, the destination must be a directory and end with a /",
        ),
        ("FROM busybox\nRUN exit 7\n", "The command '/bin/sh -c exit 7' returned a non-zero code: 7"),
        ("FROM busybox\nCOPY ignored/x /x\n", "stat ignored/x: file does not exist"),
        ("FROM busybox\nNOPE x\n", "dockerfile parse error on line 2: unknown instruction: NOPE"),
        ("FROM busybox AS one\n", 'target stage "nope" could not be found'),
    ],
)
def test_what_goes_wrong_is_told_in_dockers_words(docker: Docker, place: Path, text: str, words: str) -> None:
    (place / "Dockerfile").write_text(text)
    target = ["--target", "nope"] if "AS one" in text else []
    assert words in docker.fails("build", *target, str(place))


def test_flags_reach_the_build(docker: Docker, place: Path, image: str) -> None:
    (place / "other.dockerfile").write_text(
        "FROM busybox AS base\nARG A\nRUN echo $A > /a; cat /etc/hosts > /hosts; ulimit -n > /files\nFROM base\nRUN false\n"
    )
    docker.run(
        "build", "-f", str(place / "other.dockerfile"), "--target", "base", "--build-arg", "A=value", "--label", "l=v",
        "--add-host", "friend:1.2.3.4", "--ulimit", "nofile=77:77", "-t", image, str(place),
    )  # fmt: skip
    seen = docker.run("run", "--rm", image, "cat", "/a", "/files", "/hosts")
    assert seen.startswith("value\n77\n") and "1.2.3.4\tfriend" in seen
    assert json.loads(docker.run("image", "inspect", image))[0]["Config"]["Labels"] == {"l": "v"}


def test_a_dockerfile_alone_on_standard_input(docker: Docker, image: str) -> None:
    docker.run("build", "-t", image, "-", input="FROM busybox\nRUN echo alone > /x\n")
    assert docker.run("run", "--rm", image, "cat", "/x") == "alone"


def test_files_come_from_other_stages_and_images(docker: Docker, place: Path, image: str) -> None:
    (place / "Dockerfile").write_text(
        "FROM busybox AS one\nRUN echo 1 > /one && chown 5:6 /one\nFROM busybox\n"
        "COPY --from=one /one /from-stage\nCOPY --from=0 /one /from-number\n"
        "COPY --from=busybox /bin/busybox /from-image\nCOPY --chown=7:8 a.txt /owned\nCOPY --chown=9 a.txt /single\n"
    )
    docker.run("build", "-t", image, str(place))
    names = ("/from-stage", "/from-number", "/from-image", "/owned", "/single")
    assert docker.run("run", "--rm", image, "stat", "-c", "%n %u:%g", *names).splitlines() == [
        "/from-stage 5:6", "/from-number 5:6", "/from-image 0:0", "/owned 7:8", "/single 9:9",
    ]  # fmt: skip
