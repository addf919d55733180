"""A tour of the official docker CLI: images, volumes, networks, the engine itself."""

import json
import re
import subprocess
import tarfile
import threading
from pathlib import Path

from support.docker_cli import Docker
from support.images import busybox_tar


def test_import_tag_inspect_history_rm(docker: Docker) -> None:
    image = docker.name("image")
    made = docker.run(
        "import", "-m", "a message", "-c", "EXPOSE 80", "-c", 'ENTRYPOINT ["/bin/echo"]', "-", f"{image}:1", input=busybox_tar(), text=False
    )
    identity = made.decode().strip()
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", identity)
    docker.run("tag", f"{image}:1", f"{image}:2")
    view = json.loads(docker.run("image", "inspect", f"{image}:2"))[0]
    assert (
        view["Id"] == identity
        and view["Config"]["ExposedPorts"] == {"80/tcp": {}}
        and sorted(view["RepoTags"]) == [f"{image}:1", f"{image}:2"]
    )
    assert len(view["RootFS"]["Layers"]) == 1 and view["Os"] == "linux"
    assert docker.run("history", "--format", "{{.Comment}}", f"{image}:1") == "a message"
    assert docker.run("run", "--rm", f"{image}:1", "words") == "words"
    assert docker.run("images", "-q", "--no-trunc", f"{image}:1") == identity
    assert len(docker.run("images", "--format", "{{.Tag}}", image).split()) == 2
    assert docker.run("rmi", f"{image}:2") == f"Untagged: {image}:2"
    assert f"Deleted: {identity}" in docker.run("rmi", f"{image}:1")
    assert "No such image" in docker.fails("rmi", f"{image}:1")


def test_commit_makes_exactly_one_more_layer(docker: Docker) -> None:
    name, image = docker.name(), docker.name("image")
    docker.run("run", "--name", name, "busybox", "sh", "-c", "echo data > /data; rm /etc/group")
    docker.run("commit", "-m", "changed", "-a", "me", "-c", 'CMD ["cat","/data"]', name, image)
    before = json.loads(docker.run("image", "inspect", "busybox"))[0]["RootFS"]["Layers"]
    after = json.loads(docker.run("image", "inspect", image))[0]
    assert after["RootFS"]["Layers"][:-1] == before and after["Author"] == "me" and after["Comment"] == "changed"
    assert docker.run("run", "--rm", image) == "data"
    docker.fails("run", "--rm", image, "ls", "/etc/group", code=1)
    assert docker.run("run", "--rm", "busybox", "ls", "/etc/group") == "/etc/group"


def test_an_image_in_use_stays(docker: Docker) -> None:
    image = docker.name("image")
    docker.run("import", "-", image, input=busybox_tar(), text=False)
    docker.run("run", "-d", "--init", "--name", docker.name(), image, "sleep", "600")
    assert "is being used by running container" in docker.fails("rmi", image) + docker.fails("rmi", docker.run("images", "-q", image))


def test_save_and_load_round_trip(docker: Docker, tmp_path: Path) -> None:
    image = docker.name("image")
    docker.run("import", "-c", "LABEL a=b", "-", f"{image}:x", input=busybox_tar(), text=False)
    identity = docker.run("images", "-q", "--no-trunc", f"{image}:x")
    archive = tmp_path / "image.tar"
    docker.run("save", "-o", str(archive), f"{image}:x")
    with tarfile.open(archive) as tar:
        assert "manifest.json" in tar.getnames()
    docker.run("rmi", f"{image}:x")
    assert f"Loaded image: {image}:x" in docker.run("load", "-i", str(archive))
    assert docker.run("images", "-q", "--no-trunc", f"{image}:x") == identity
    assert docker.run("run", "--rm", f"{image}:x", "/bin/echo", "back") == "back"


def test_a_broken_archive_is_refused(docker: Docker) -> None:
    docker.fails("load", input=b"this is no tar archive" * 100, text=False)
    docker.fails("import", "-", docker.name("image"), input=busybox_tar()[:70_000], text=False)
    assert docker.run("images", "-q", docker.name("image")) == ""


def test_image_prune_leaves_what_has_a_name(docker: Docker) -> None:
    image = docker.name("image")
    docker.run("import", "-c", f"LABEL mark={docker.mark}", "-", image, input=busybox_tar(), text=False)
    old = docker.run("images", "-q", "--no-trunc", image)
    docker.run("import", "-c", f"LABEL mark={docker.mark}", "-c", "LABEL second=1", "-", image, input=busybox_tar(), text=False)
    assert old in docker.run("image", "prune", "-f", "--filter", f"label=mark={docker.mark}")
    assert docker.run("images", "-q", image) != ""


def test_volumes(docker: Docker) -> None:
    volume = docker.name("volume")
    assert docker.run("volume", "create", "--label", "a=b", volume) == volume
    assert volume in docker.run("volume", "ls", "-q", "--filter", "label=a=b").split()
    view = json.loads(docker.run("volume", "inspect", volume))[0]
    assert view["Driver"] == "local" and view["Labels"] == {"a": "b"} and view["Mountpoint"].endswith("/_data")
    docker.run("run", "--rm", "-v", f"{volume}:/data", "busybox", "sh", "-c", "echo kept > /data/file")
    assert docker.run("run", "--rm", "-v", f"{volume}:/data:ro", "busybox", "cat", "/data/file") == "kept"
    docker.fails("run", "--rm", "-v", f"{volume}:/data:ro", "busybox", "touch", "/data/other", code=1)
    docker.run("run", "-d", "--init", "--name", docker.name(), "--mount", f"type=volume,src={volume},dst=/data", "busybox", "sleep", "600")
    assert "volume is in use" in docker.fails("volume", "rm", volume)
    docker.run("rm", "-f", docker.name())
    assert docker.run("volume", "rm", volume) == volume
    assert "no such volume" in docker.fails("volume", "inspect", volume)


def test_a_volume_gets_the_image_s_content_and_anonymous_ones_go_with_rm_v(docker: Docker) -> None:
    volume, name = docker.name("volume"), docker.name()
    assert "index.html" in docker.run("run", "--rm", "-v", f"{volume}:/www", "busybox", "ls", "/www")
    docker.run("run", "--name", name, "-v", "/anonymous", "busybox", "true")
    mounted = docker.run("inspect", "-f", "{{(index .Mounts 0).Name}}", name)
    assert re.fullmatch("[0-9a-f]{64}", mounted)
    docker.run("rm", "-v", name)
    docker.fails("volume", "inspect", mounted)
    docker.run("volume", "inspect", volume)


def test_volumes_from_and_volume_prune(docker: Docker) -> None:
    name = docker.name()
    docker.run("create", "--name", name, "-v", "/shared", "busybox", "true")
    docker.run("run", "--rm", "--volumes-from", name, "busybox", "sh", "-c", "echo x > /shared/f")
    assert docker.run("run", "--rm", "--volumes-from", f"{name}:ro", "busybox", "cat", "/shared/f") == "x"
    volume = docker.name("volume")
    docker.run("volume", "create", "--label", f"mark={docker.mark}", volume)
    assert volume in docker.run("volume", "prune", "-af", "--filter", f"label=mark={docker.mark}")


def test_networks_and_names(docker: Docker) -> None:
    network = docker.name("net")
    docker.run("network", "create", "--label", "a=b", "--subnet", "10.213.7.0/24", "--gateway", "10.213.7.1", network)
    assert network in docker.run("network", "ls", "--filter", "driver=bridge", "--format", "{{.Name}}").split()
    server, client = docker.name("server"), docker.name("client")
    docker.run(
        "run",
        "-d",
        "--init",
        "--name",
        server,
        "--network",
        network,
        "--network-alias",
        "web",
        "--ip",
        "10.213.7.9",
        "busybox",
        "httpd",
        "-f",
        "-h",
        "/www",
    )
    docker.run("run", "-d", "--init", "--name", client, "--network", network, "busybox", "sleep", "600")
    for name in (server, "web", "10.213.7.9"):
        assert "It works" in docker.run("exec", client, "wget", "-q", "-O", "-", f"http://{name}/")
    assert "10.213.7.9" in docker.run("exec", client, "nslookup", server)
    view = json.loads(docker.run("network", "inspect", network))[0]
    assert len(view["Containers"]) == 2 and view["IPAM"]["Config"][0]["Subnet"] == "10.213.7.0/24" and view["Labels"] == {"a": "b"}
    assert "has active endpoints" in docker.fails("network", "rm", network)
    docker.run("rm", "-f", server, client)
    assert docker.run("network", "rm", network) == network
    assert "not found" in docker.fails("network", "inspect", network)


def test_connect_and_disconnect_while_running(docker: Docker) -> None:
    network, name = docker.name("net"), docker.name()
    docker.run("network", "create", network)
    docker.run("run", "-d", "--init", "--name", name, "busybox", "sleep", "600")
    docker.run("network", "connect", "--alias", "late", network, name)
    assert docker.run("exec", name, "sh", "-c", "ls /sys/class/net | grep -c eth") == "2"
    assert "already exists in network" in docker.fails("network", "connect", network, name)
    docker.run("network", "disconnect", network, name)
    assert docker.run("exec", name, "sh", "-c", "ls /sys/class/net | grep -c eth") == "1"
    assert network in docker.run("network", "prune", "-f")


def test_a_published_port_is_served_on_the_host(docker: Docker) -> None:
    name = docker.name()
    docker.run("run", "-d", "--init", "--name", name, "-p", "80", "-p", "127.0.0.1::81/udp", "busybox", "httpd", "-f", "-h", "/www")
    port = docker.run("port", name, "80/tcp").splitlines()[0].rsplit(":", 1)[1]
    assert docker.run("port", name, "81/udp").startswith("127.0.0.1:")
    page = docker.engine.inside(
        ["python3", "-c", f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:{port}/', timeout=20).read())"]
    )
    assert "It works" in page.stdout, page.stderr
    other = docker.name("other")
    assert re.search(
        "port is already allocated|address already in use",
        docker.fails("run", "-d", "--name", other, "-p", f"{port}:80", "busybox", "true", code=125),
    )
    docker.run("rm", "-f", name)
    docker.run("run", "-d", "--init", "--name", docker.name("next"), "-p", f"{port}:80", "busybox", "sleep", "600")


def test_version_info_and_df(docker: Docker) -> None:
    version = json.loads(docker.run("version", "--format", "json"))
    assert version["Server"]["ApiVersion"] and version["Server"]["Os"] == "linux"
    info = json.loads(docker.run("info", "--format", "json"))
    assert info["OSType"] == "linux" and info["NCPU"] >= 1 and info["MemTotal"] > 0 and info["Driver"]
    assert info["Containers"] == info["ContainersRunning"] + info["ContainersPaused"] + info["ContainersStopped"]
    assert "Images" in docker.run("system", "df")


def test_a_detached_events_stream_sees_an_image_come(docker: Docker) -> None:
    image = docker.name("image")
    watching = subprocess.Popen(
        [docker.program, "events", "--filter", "type=image", "--filter", "event=tag", "--format", "{{.Actor.Attributes.name}}"],
        stdout=subprocess.PIPE,
        env=docker.environ,
        text=True,
    )
    try:
        assert watching.stdout
        seen: list[str] = []
        reader = threading.Thread(target=lambda: seen.append(watching.stdout.readline()), daemon=True)
        reader.start()
        # Only tags made after the stream has begun are told, so one after the other until one is.
        for number in range(100):
            docker.run("tag", "busybox", f"{image}:{number}")
            reader.join(0.1)
            if seen:
                break
        assert seen and seen[0].startswith(image)
    finally:
        watching.kill()
        watching.communicate()
        docker.do("rmi", *docker.do("images", "--format", "{{.Repository}}:{{.Tag}}", image).stdout.split())
