"""macvlan and ipvlan: on a link of the host, where the kernel has them; else a clear refusal."""

import pytest

from argosy.base.errors import ArgosyError, NotImplementedInArgosyError
from argosy.network.model import NetworkCreate
from integration.network.world import INTERNET4, World

pytestmark = pytest.mark.root


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
async def test_containers_sit_on_the_parents_network(world: World, driver: str) -> None:
    daemon = await world.daemon()
    asked = NetworkCreate(
        name="lan", driver=driver, options={"parent": "up0"}, ipam_config=({"Subnet": "203.0.113.0/24", "IPRange": "203.0.113.64/26"},)
    )
    try:
        network = await daemon.controller.catalogue.create(asked)
    except NotImplementedInArgosyError as error:
        assert f"no {driver} links" in str(error)
        assert [one.name for one in await daemon.admin.list_({"type": ["custom"]})] == []
        pytest.skip(str(error))
    one, two = await world.run(daemon, "one", network="lan"), await world.run(daemon, "two", network="lan")
    assert one.ip == "203.0.113.65"
    assert one.pings(two.ip) and one.pings(INTERNET4) and world.internet.pings(one.ip)
    assert one.ask("two") == (0, [two.ip])
    await daemon.controller.disconnect(two.id, daemon.controller.find("lan"))
    await daemon.settle()
    assert not one.pings(two.ip)
    one.kill()
    await daemon.controller.release(one.id)
    await daemon.controller.release(two.id)
    await daemon.controller.catalogue.remove(network)
    assert "up0" in world.host.run("ip", "-br", "link")


async def test_a_vlan_of_the_parent_is_made_and_taken_away(world: World) -> None:
    daemon = await world.daemon()
    with pytest.raises(ArgosyError, match=r"invalid subinterface vlan name nope0, example formatting is eth0.10|no macvlan links"):
        await daemon.controller.catalogue.create(NetworkCreate(name="v", driver="macvlan", options={"parent": "nope0"}))
    try:
        network = await daemon.controller.catalogue.create(NetworkCreate(name="v", driver="macvlan", options={"parent": "up0.10"}))
    except ArgosyError as error:
        pytest.skip(str(error))
    assert "up0.10" in world.host.run("ip", "-br", "link")
    await daemon.controller.catalogue.remove(network)
    await daemon.controller.catalogue.bury_all()
    assert "up0.10" not in world.host.run("ip", "-br", "link")


async def test_a_wrong_mode_is_refused(world: World) -> None:
    daemon = await world.daemon()
    with pytest.raises(ArgosyError, match="requested macvlan mode 'x' is not valid"):
        await daemon.controller.catalogue.create(NetworkCreate(name="v", driver="macvlan", options={"macvlan_mode": "x"}))
