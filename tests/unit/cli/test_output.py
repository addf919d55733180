"""Tables, lists, YAML, times and sizes."""

import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from argosy.cli.errors import ExitError
from argosy.cli.output import containers, human, images, listing, stats
from argosy.cli.output.document import templated
from argosy.cli.output.ports import displayable
from argosy.cli.output.progress import Bytes, Transfers, amount
from argosy.cli.output.table import render
from argosy.cli.output.yaml import dump
from argosy.cli.session import Session

ROW: dict[str, Any] = {
    "Id": "f" * 64,
    "Names": ["/web", "/db/link"],
    "Image": "httpd:2",
    "ImageID": "sha256:" + "a" * 64,
    "Command": "httpd-foreground -with-much-more",
    "Created": 0,
    "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp", "IP": "0.0.0.0"}],
    "State": "running",
    "Status": "Up 2 minutes",
    "Labels": {"b": "2", "a": "1"},
    "Mounts": [{"Name": "data", "Driver": "local"}],
    "NetworkSettings": {"Networks": {"bridge": {}}},
    "SizeRw": 5,
    "SizeRootFs": 2_000_000,
}


class Fixed(Session):
    """A session whose terminal is as wide as the test says."""

    def __init__(self, width: int = 0) -> None:
        super().__init__({})
        self._width = width

    @property
    def width(self) -> int:
        return self._width


def test_tables_are_dockers() -> None:
    assert render(["ID", "NAMES"], [["abc", "web"], ["0123456789", "x"]]) == "ID           NAMES\nabc          web\n0123456789   x\n"


def test_an_empty_last_column_keeps_the_padding_before_it() -> None:
    assert render(["A", "B"], [["x", ""]]) == "A         B\nx         \n"


@given(
    st.lists(
        st.tuples(st.text("ab", max_size=60), st.text("cd", max_size=60), st.lists(st.text("p", min_size=1, max_size=20), max_size=6)),
        max_size=5,
    ),
    st.integers(60, 120),
)
def test_tables_fit_the_terminal(rows: list[tuple[str, str, list[str]]], width: int) -> None:
    cells = [[one, ", ".join(ports), two] for one, two, ports in rows]
    text = render(["IMAGE", "PORTS", "NAMES"], cells, width=width, foldable=("PORTS",), cuttable=("IMAGE", "NAMES", "PORTS"))
    assert all(len(line) <= width for line in text.splitlines())


def test_ports_are_folded_before_anything_is_cut() -> None:
    text = render(
        ["NAMES", "PORTS", "ID"], [["web", "0.0.0.0:1->1/tcp, 0.0.0.0:2->2/tcp", "x"]], width=40, foldable=("PORTS",), cuttable=("NAMES",)
    )
    assert text.splitlines()[1:] == ["web       0.0.0.0:1->1/tcp,   x", "          0.0.0.0:2->2/tcp"]


@pytest.mark.parametrize(
    ("ports", "shown"),
    [
        ([], ""),
        ([(80, 8080, "tcp", "0.0.0.0")], "0.0.0.0:8080->80/tcp"),
        ([(80, 0, "tcp", "")], "80/tcp"),
        (
            [(80, 80, "tcp", "0.0.0.0"), (81, 81, "tcp", "0.0.0.0"), (83, 83, "tcp", "0.0.0.0")],
            "0.0.0.0:80-81->80-81/tcp, 0.0.0.0:83->83/tcp",
        ),
        ([(80, 80, "udp", "::")], "[::]:80->80/udp"),
    ],
)
def test_ports_are_joined_as_docker_does(ports: list[tuple[int, int, str, str]], shown: str) -> None:
    found = [{"PrivatePort": p, "PublicPort": q, "Type": t, "IP": i} for p, q, t, i in ports]
    assert displayable(found) == shown


def test_a_container_row_has_dockers_fields() -> None:
    columns = containers.listing().columns
    shown = {name: column.get(ROW) for name, column in columns.items() if not column.method}
    assert shown["ID"] == "f" * 12
    assert shown["Names"] == "web"
    assert shown["Command"] == '"httpd-foreground -w…"'
    assert shown["Size"] == "5B (virtual 2MB)"
    assert shown["Labels"] == "a=1,b=2"
    assert shown["LocalVolumes"] == "1"
    assert containers.listing(trunc=False).columns["Names"].get(ROW) == "web,db/link"
    assert containers.image({"Image": "sha256:" + "a" * 64, "ImageID": "sha256:" + "a" * 64}, True) == "a" * 12


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("{{.Names}} {{.State}}", "web running\n"),
        ("table {{.Names}}\\t{{.State}}", "NAMES     STATE\nweb       running\n"),
        ('table {{.Label "a"}}\\t{{.Label "com.x-y"}}', "a         x y\n1         \n"),
        ("{{.Names}}\\n{{.State}}", "web\nrunning\n"),
    ],
)
def test_lists_follow_the_format(wanted: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.show(Fixed(), containers.listing(), [ROW], wanted)
    assert capsys.readouterr().out == expected


def test_json_lists_are_one_object_a_line_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    listing.show(Fixed(), images.listing(), list(images.rows([{"Id": "sha256:ab", "Created": 1, "RepoTags": []}], False)), "json")
    out = capsys.readouterr().out
    assert list(json.loads(out)) == sorted(json.loads(out))
    assert json.loads(out)["Repository"] == "<none>"
    assert "\\u003cnone\\u003e" in out


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("{{.Foo}}", "can't evaluate field Foo in type *formatter.ContainerContext"),
        ("{{", "failed to parse template: template: :1: unclosed action"),
    ],
)
def test_broken_formats_are_refused(wanted: str, message: str) -> None:
    with pytest.raises(ExitError) as caught:
        listing.show(Fixed(), containers.listing(), [ROW], wanted)
    assert message in str(caught.value)


def test_images_have_a_row_for_each_tag() -> None:
    found = [{"Id": "x", "RepoTags": ["a:1", "a:2", "h:5000/b:1"], "RepoDigests": ["a@sha256:1"]}]
    assert [(row["_repository"], row["_tag"]) for row in images.rows(found, False)] == [("a", "1"), ("a", "2"), ("h:5000/b", "1")]
    assert [row["_digest"] for row in images.rows(found, True)] == ["sha256:1", "sha256:1", "<none>"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (150, "2 minutes"),
        (3600, "About an hour"),
        (7200, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (15 * 86400, "2 weeks"),
        (70 * 86400, "2 months"),
        (800 * 86400, "2 years"),
    ],
)
def test_spans_have_go_units_words(seconds: int, words: str) -> None:
    assert human.span(seconds) == words


@pytest.mark.parametrize(("count", "text"), [(0, "0B"), (999, "999B"), (1000, "1kB"), (1_982_000, "1.98MB"), (5 * 10**12, "5TB")])
def test_sizes_have_three_digits(count: int, text: str) -> None:
    assert human.size(count, 3) == text


def test_api_times_are_read() -> None:
    assert human.parse_rfc3339("1970-01-01T00:00:01.5Z") == 1.5
    assert human.parse_rfc3339("1970-01-01T01:00:00.25+01:00") == 0.25
    assert human.parse_rfc3339("0001-01-01T00:00:00Z") == 0
    assert human.parse_rfc3339("") == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_yaml_reads_back_as_it_was(value: object) -> None:
    assert yaml.safe_load(dump(value)) == value


def test_a_broken_inspect_template_ends_with_64() -> None:
    with pytest.raises(ExitError) as caught:
        templated({}, "{{")
    assert caught.value.code == 64


def test_statistics_are_computed_as_docker_does() -> None:
    sample = {
        "id": "i",
        "name": "/web",
        "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
        "memory_stats": {"usage": 150, "limit": 1000, "stats": {"inactive_file": 50}},
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": 7}, {"op": "Write", "value": 9}]},
        "pids_stats": {"current": 4},
    }
    row = stats.row(sample, "web")
    assert (row["cpu"], row["memory"], row["share"], row["received"], row["sent"], row["read"], row["written"], row["pids"]) == (
        40.0,
        100,
        10.0,
        11,
        22,
        7,
        9,
        4,
    )
    assert stats.memory_without_cache({"usage": 10, "stats": {"total_inactive_file": 4}}) == 6
    assert stats.row({}, "x")["cpu"] == 0.0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_stable_where_no_terminal_is() -> None:
    out = io.StringIO()
    with Transfers(out, {}) as transfers:
        for event in (
            {"status": "Pulling from library/x", "id": "1"},
            {"status": "Pulling fs layer", "id": "a", "progressDetail": {}},
            {"status": "Downloading", "id": "a", "progressDetail": {"current": 5, "total": 10}},
            {"status": "Pull complete", "id": "a", "progressDetail": {}},
            {"status": "Digest: sha256:1"},
        ):
            transfers.show(event)
    assert out.getvalue() == "1: Pulling from library/x\na: Pull complete\nDigest: sha256:1\n"


def test_progress_rewrites_its_lines_on_a_terminal() -> None:
    out = Terminal()
    with Transfers(out, {"TERM": "xterm"}) as transfers:
        transfers.show({"status": "Downloading", "id": "a", "progressDetail": {"current": 5, "total": 10}})
        transfers.show({"status": "Pull complete", "id": "a"})
    assert out.getvalue().endswith("\x1b[1A\x1b[2Ka: Pull complete\n")
    assert "5B/10B  50%" in out.getvalue()


def test_bytes_are_counted_only_on_a_terminal() -> None:
    quiet, live = io.StringIO(), Terminal()
    for out in (quiet, live):
        assert b"".join(Bytes("Loading", 4, out).reading(io.BytesIO(b"data"))) == b"data"
    assert quiet.getvalue() == ""
    assert "Loading  4B/4B  100%" in live.getvalue()
    assert live.getvalue().endswith("\r\x1b[2K")


def test_an_amount_tells_what_is_known() -> None:
    assert amount(50, 100, 10.0) == "50B/100B  50%  10B/s  5 seconds left"
    assert amount(50, 0, 0) == "50B"
