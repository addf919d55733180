from argosy.api.answer import Answer, empty
from argosy.api.request import Request
from argosy.api.table import Route, Table


async def _handler(request: Request) -> Answer:
    return empty()


def _table(*entries: str) -> Table:
    return Table(Route(*entry.split(" "), _handler) for entry in entries)  # type: ignore[arg-type,misc]


def test_fixed_paths_win_over_patterns() -> None:
    table = _table("GET /images/{name:.*}/get", "GET /images/get")
    found = table.find("GET", "/images/get")
    assert found is not None
    assert found[0].path == "/images/get"


def test_names_may_have_slashes_where_the_route_says_so() -> None:
    table = _table("GET /images/{name:.*}/json", "GET /containers/{id}/json")
    found = table.find("GET", "/images/reg:5000/a/b:c/json")
    assert found is not None
    assert found[1] == {"name": "reg:5000/a/b:c"}
    assert table.find("GET", "/containers/a/b/json") is None
    assert table.find("GET", "/containers//json") is None


def test_the_method_counts() -> None:
    table = _table("DELETE /containers/{id}")
    assert table.find("GET", "/containers/x") is None
    assert table.find("DELETE", "/containers/x") is not None
