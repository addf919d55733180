"""What is cached of a container's encoding, and what is not."""

from dataclasses import replace

import msgspec

from argosy.api.convert.containers import Encodings, command_line
from argosy.engine.model import Status
from fakes.engine import NOW, SECOND, container
from fakes.server import Api


def test_the_status_text_follows_the_clock_though_the_rest_is_cached() -> None:
    encodings, view = Encodings(), container()
    texts = [msgspec.json.decode(encodings.summaries([view], 55, NOW + s * SECOND))[0]["Status"] for s in (1, 61, 7300)]
    assert texts == ["Up 1 second (healthy)", "Up About a minute (healthy)", "Up 2 hours (healthy)"]


def test_a_new_generation_is_encoded_anew() -> None:
    encodings, view = Encodings(), container()
    first = encodings.inspect(view, 55)
    assert encodings.inspect(view, 54) is first
    later = replace(view, generation=2, image_name="other", state=container(status=Status.EXITED).state)
    assert encodings.inspect(later, 55) != first
    assert msgspec.json.decode(encodings.summaries([later], 55, NOW + 5 * SECOND))[0]["Status"] == "Exited (0) 4 seconds ago"


def test_versions_of_another_shape_are_encoded_apart() -> None:
    encodings, view = Encodings(), container()
    assert b'"Bridge"' in encodings.inspect(view, 51)
    assert b'"Bridge"' not in encodings.inspect(view, 52)


def test_sizes_are_never_taken_from_the_cache() -> None:
    encodings, view = Encodings(), container()
    encodings.inspect(view, 55)
    assert msgspec.json.decode(encodings.inspect(replace(view, size_rw=7), 55))["SizeRw"] == 7
    assert "SizeRw" not in msgspec.json.decode(encodings.inspect(view, 55))


def test_the_cache_does_not_grow_without_bound() -> None:
    encodings = Encodings(capacity=3)
    for number in range(10):
        encodings.inspect(container(f"{number:064x}"), 55)
        encodings.summaries([container(f"{number:064x}")], 55, NOW)
    assert len(encodings._inspect) == len(encodings._summary) == 3


def test_arguments_with_spaces_are_quoted_in_the_command() -> None:
    assert command_line("sh", ("-c", "exit 3")) == "sh -c 'exit 3'"
    assert command_line("true", ()) == "true"


def test_a_label_named_status_is_harmless() -> None:
    view = container()
    spec = msgspec.structs.replace(view.spec, name="x", config=msgspec.structs.replace(view.spec.config, labels={"Status": "Up"}))
    (wire,) = msgspec.json.decode(Encodings().summaries([replace(view, spec=spec)], 55, NOW + SECOND))
    assert wire["Labels"] == {"Status": "Up"}
    assert wire["Status"] == "Up 1 second (healthy)"


async def test_a_link_is_removed_by_the_name_of_its_container_and_its_own(api: Api) -> None:
    assert (await api.ask("DELETE", "/containers/web/db?link=1")).status == 204
    assert api.containers.calls == [("remove", "web/db", False, False, True)]
