"""``argosy build``: what it prints, and what its flags do."""

import re
from pathlib import Path

import pytest

from support.builds import run

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]
ID = re.compile(r"sha256:[0-9a-f]{64}\n")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "context"
    found.mkdir()
    (found / "f").write_text("data\n")
    (found / "Dockerfile").write_text("FROM busybox AS one\nRUN echo said\nFROM one\nRUN echo second; echo third >&2\nCOPY f /f\n")
    return found


def test_quiet_prints_the_id_alone(argosyd, place, tmp_path):
    for flags in (["-q"], ["--progress", "quiet"]):
        done = argosyd.argosy("build", *flags, "--iidfile", str(tmp_path / "id"), "-t", "x", str(place))
        assert ID.fullmatch(done.stdout) and done.stderr == ""
        assert (tmp_path / "id").read_text() == done.stdout.strip() == argosyd.api("GET", "/images/x/json")["Id"]
    (place / "Dockerfile").write_text("FROM busybox\nRUN echo why; false\n")
    failed = argosyd.argosy("build", "-q", str(place))
    assert failed.returncode == 1 and failed.stdout == "" and "returned a non-zero code: 1" in failed.stderr


def test_a_file_that_cannot_be_written_is_told_before_anything_is_built(argosyd, place):
    done = argosyd.argosy("build", "--iidfile", "/nosuch/id", str(place))
    assert done.returncode == 1 and "failed to write the image ID to /nosuch/id: no such file or directory" in done.stderr
    assert len(argosyd.api("GET", "/images/json?all=1")) == 1


def test_plain_progress_tells_each_step_once(argosyd, place):
    done = argosyd.argosy("build", "--progress", "plain", "-t", "x", str(place))
    assert done.returncode == 0, done.stderr
    assert "Step " not in done.stdout and " ---> " not in done.stdout
    for words in ("FROM busybox AS one", "RUN echo said", "FROM one", "RUN echo second; echo third >&2", "COPY f /f"):
        assert len(re.findall(rf"^#\d+ \[\S+ \d/5\] {re.escape(words)}$", done.stdout, re.MULTILINE)) == 1, words
    assert re.search(r"^#4 \d+\.\d\d second$", done.stdout, re.MULTILINE)
    assert len(re.findall(r"^#\d DONE \d", done.stdout, re.MULTILINE)) == 5
    assert done.stdout.endswith("Successfully tagged x:latest\n")
    again = argosyd.argosy("build", "--progress", "plain", str(place))
    assert len(re.findall(r"^#\d CACHED$", again.stdout, re.MULTILINE)) == 3


def test_classic_progress_is_the_classic_builder_s(argosyd, place):
    done = argosyd.argosy("build", "--progress", "classic", str(place))
    assert "Step 2/5 : RUN echo said\n" in done.stdout and "#2" not in done.stdout


def test_progress_on_a_terminal_is_redrawn(argosyd, place):
    done = argosyd.argosy("build", "--progress", "tty", str(place))
    assert "\x1b[" in done.stdout and "=> [one 2/5] RUN echo said" in done.stdout and "Step " not in done.stdout
    wrong = argosyd.argosy("build", "--progress", "nice", str(place))
    assert wrong.returncode == 125 and "invalid --progress nice: use auto, plain, tty, classic or quiet" in wrong.stderr


def test_single_stages_are_built_without_the_cache(argosyd, place):
    argosyd.argosy("build", str(place))
    done = argosyd.argosy("build", "--no-cache-filter", "one", "--progress", "classic", str(place))
    assert done.returncode == 0, done.stderr
    # The stage itself is done again; it brings the same files as before, on which the rest is found.
    assert done.stdout.count("Using cache") == 2
    done = argosyd.argosy("build", "--no-cache-filter", "nosuch", str(place))
    assert done.returncode == 0 and "nosuch" in done.stdout + done.stderr
    assert run(argosyd, argosyd.argosy("build", "-q", str(place)).stdout.strip(), "cat", "/f") == "data\n"
