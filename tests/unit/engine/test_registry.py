import pytest

from argosy.base.errors import ConflictError, InvalidParameterError, NotFoundError
from argosy.engine.container import Container
from argosy.engine.model import ContainerSpec, State
from argosy.engine.registry import Registry


def container(container_id: str, name: str) -> Container:
    return Container(ContainerSpec(id=container_id, name=name, created=1, image_id="sha256:x"), State())


@pytest.fixture
async def registry() -> Registry:
    made = Registry()
    made.add(container("aa11" + "0" * 60, "web"))
    made.add(container("aa22" + "0" * 60, "db"))
    return made


async def test_found_by_id_name_slash_and_prefix(registry):
    for ref in ("aa11" + "0" * 60, "web", "/web", "aa1"):
        assert registry.find(ref).name == "web"


async def test_an_ambiguous_prefix_is_refused(registry):
    with pytest.raises(InvalidParameterError, match="Multiple IDs found with provided prefix: aa"):
        registry.find("aa")


async def test_an_unknown_container_is_named(registry):
    with pytest.raises(NotFoundError, match="No such container: nope"):
        registry.find("nope")


async def test_a_name_wins_over_a_prefix(registry):
    registry.add(container("bb" + "0" * 62, "aa11"))
    assert registry.find("aa11").id.startswith("bb")


async def test_a_taken_name_is_refused_in_dockers_words(registry):
    with pytest.raises(ConflictError) as error, registry.reserving("web", "cc"):
        pass
    assert str(error.value) == (
        f'Conflict. The container name "/web" is already in use by container "aa11{"0" * 60}". '
        "You have to remove (or rename) that container to be able to reuse that name."
    )


async def test_a_reservation_is_given_back_when_the_making_fails(registry):
    with pytest.raises(RuntimeError), registry.reserving("new", "cc"):
        raise RuntimeError
    assert not registry.name_taken("new")


async def test_removal_frees_the_name(registry):
    registry.remove(registry.find("web"))
    assert not registry.name_taken("web")
    assert len(registry) == 1
