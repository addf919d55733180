"""Builds by a real daemon: what the images hold, what the cache knows, what nobody may see."""

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from support.builds import build, context, run
from support.remains import assert_nothing_left, settled

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("leak_check")]


def test_an_image_is_built_step_by_step_and_the_second_time_from_the_cache(argosyd):
    text = (
        "FROM busybox\nARG WHO=world\nENV GREETING=hello\nWORKDIR /srv/dir\nCOPY hello.txt .\nCOPY sub /sub/\n"
        "RUN echo $GREETING $WHO > out && cat hello.txt\nCMD cat out /sub/x/y\n"
    )
    files = {"hello.txt": "hi\n", "sub/x/y": "deep\n"}
    first = build(argosyd, text, files, t="one")
    assert first.error == "" and "\nhi\n" in first.text and first.cached == 0
    assert "Successfully tagged one:latest" in first.text
    second = build(argosyd, text, files, t="two")
    assert (second.id, second.cached) == (first.id, 7)
    assert run(argosyd, "one", "sh", "-c", "cat out /sub/x/y") == "hello world\ndeep\n"
    assert argosyd.api("GET", "/containers/json?all=1") == []
    assert_nothing_left(argosyd)


def test_what_changed_is_done_again_and_only_that(argosyd):
    text = "FROM busybox\nLABEL a=b\nRUN echo first > /1\nCOPY f /f\nRUN cat /f > /2\n"
    build(argosyd, text, {"f": "x"})
    changed = build(argosyd, text, {"f": "y"})
    assert changed.cached == 2
    relabelled = build(argosyd, text.replace("a=b", "a=c"), {"f": "y"})
    assert relabelled.cached == 3, "a label is no part of the files that later steps stand on"
    assert build(argosyd, text, {"f": "y"}, nocache=1).cached == 0


def test_the_cache_outlives_the_daemon(argosyd):
    text = "FROM busybox\nRUN echo x > /x\nENV A=b\n"
    first = build(argosyd, text)
    settled(lambda: len(argosyd.api("GET", "/system/df")["BuildCache"]), 1)
    argosyd.stop()
    argosyd.start()
    second = build(argosyd, text)
    assert (second.id, second.cached) == (first.id, 2)


def test_a_failing_command_leaves_nothing_but_the_steps_before_it(argosyd):
    text = "FROM busybox\nRUN echo kept > /kept\nRUN sh -c 'echo oops >&2; exit 3'\n"
    found = build(argosyd, text, t="never")
    assert found.messages[-1]["errorDetail"]["code"] == 3
    assert "returned a non-zero code: 3" in found.error and "\x1b[91moops\n\x1b[0m" in found.text
    assert "Dockerfile:3: RUN sh" in found.text
    assert build(argosyd, text).cached == 1
    assert argosyd.api.raw("GET", "/images/never/json")[0] == 404
    assert_nothing_left(argosyd)


def test_stages_copy_from_each_other_and_only_needed_ones_are_built(argosyd):
    text = (
        "FROM busybox AS one\nRUN echo 1 > /one\nFROM busybox AS two\nRUN echo 2 > /two\nFROM busybox AS unneeded\nRUN false\n"
        "FROM scratch\nCOPY --from=one /one /\nCOPY --from=1 /two /dir/\nCOPY --from=busybox /bin/busybox /bin/cat\n"
    )
    assert build(argosyd, text, t="multi").error == ""
    assert run(argosyd, "multi", "/bin/cat", "/one", "/dir/two") == "1\n2\n"
    assert build(argosyd, text, target="one", t="just-one").text.count("Step") == 2


def test_mounts_are_there_for_the_program_and_leave_no_trace(argosyd):
    secret = base64.b64encode(json.dumps({"token": base64.b64encode(b"s3cret").decode()}).encode()).decode()
    text = (
        "FROM busybox\n"
        "RUN --mount=type=cache,target=/cache/deep,id=c echo x >> /cache/deep/f; wc -l /cache/deep/f\n"
        "RUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN test $(wc -c < /run/secrets/token) = 6 -a ${#TOKEN} = 6\n"
        "RUN --mount=type=tmpfs,target=/t,size=1048576 df /t | grep 1024\n"
        "RUN --mount=type=bind,target=/ctx,rw cat /ctx/a.txt; echo new > /ctx/new\n"
        "RUN --mount=type=bind,source=a.txt,target=/a.txt cat /a.txt\n"
        "RUN ls -a / /run 2>/dev/null > /listing; true\n"
    )
    found = build(argosyd, text, {"a.txt": "AAA\n"}, headers={"X-Argosy-Build-Secrets": secret}, t="mounts")
    assert found.error == ""
    assert "1 /cache/deep/f" in found.text and found.text.count("AAA") == 2
    assert "s3cret" not in json.dumps(found.messages)
    listing = run(argosyd, "mounts", "cat", "/listing").split()
    assert not {"cache", "t", "ctx", "a.txt", "secrets"} & set(listing)
    again = build(argosyd, text.replace("wc -l", "cat"), {"a.txt": "AAA\n"}, headers={"X-Argosy-Build-Secrets": secret})
    assert "x\nx\n" in again.text
    assert_nothing_left(argosyd)
    kept = [path for path in argosyd.data_root.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]
    assert not any(b"s3cret" in path.read_bytes() for path in kept)


def test_a_secret_or_a_cache_content_is_no_part_of_the_key(argosyd):
    def header(value):
        return {"X-Argosy-Build-Secrets": base64.b64encode(json.dumps({"t": base64.b64encode(value).decode()}).encode()).decode()}

    text = "FROM busybox\nRUN --mount=type=secret,id=t cat /run/secrets/t > /dev/null; echo done > /d\n"
    first = build(argosyd, text, headers=header(b"one"))
    assert build(argosyd, text, headers=header(b"two")).id == first.id
    assert "secret t: not found" in build(argosyd, "FROM busybox\nRUN --mount=type=secret,id=t,required true\n").error


def test_copies_have_the_owner_mode_and_place_that_was_asked_for(argosyd):
    text = (
        "FROM busybox\nRUN echo 'app:x:77:78::/:/bin/sh' >> /etc/passwd; echo 'app:x:78:' >> /etc/group; ln -s /real /link; mkdir /real\n"
        "COPY --chown=app --chmod=700 a.txt dir/ /x/\nCOPY --parents b/./c/d.txt /y/\nCOPY --exclude=*.log src /z/\n"
        "COPY a.txt /link/\nCOPY a.txt /new\nCOPY *.txt /globbed/\nCOPY <<A <<B /docs/\nfirst\nA\nsecond\nB\n"
    )
    files = {"a.txt": "1", "dir/q": "2", "b/c/d.txt": "3", "src/k.log": "5", "src/k.txt": "6", "other.txt": "7"}
    assert build(argosyd, text, files, t="copies").error == ""
    places = ("/x", "/y", "/z", "/real", "/new", "/globbed", "/docs")
    seen = run(argosyd, "copies", "find", *places, "-exec", "stat", "-c", "%n %u:%g %a %Y", "{}", ";")
    lines = dict(line.split(" ", 1) for line in seen.splitlines())
    assert lines["/x/a.txt"] == lines["/x/q"] == "77:78 700 1000000000"
    assert lines["/y/c/d.txt"] == lines["/new"] == "0:0 644 1000000000"
    assert "/z/k.log" not in lines and "/z/k.txt" in lines
    assert {"/real/a.txt", "/globbed/a.txt", "/globbed/other.txt", "/docs/A", "/docs/B"} <= lines.keys()


def test_links_in_a_context_lead_nowhere_outside(argosyd):
    link = tarfile.TarInfo("escape")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    found = build(argosyd, "FROM busybox\nCOPY escape/hostname /h\n", {"escape": link})
    assert "file does not exist" in found.error
    up = build(argosyd, "FROM busybox\nCOPY ../../../etc/hostname /h\n")
    assert "file does not exist" in up.error


def test_archives_are_unpacked_by_add_alone(argosyd):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as tar:
        info = tarfile.TarInfo("in/side")
        info.size, info.uid = 3, 5
        tar.addfile(info, io.BytesIO(b"abc"))
    text = "FROM busybox\nADD x.txz /un/\nCOPY x.txz /co/\nADD plain /p\nRUN stat -c %u /un/in/side; cat /un/in/side; ls /co\n"
    found = build(argosyd, text, {"x.txz": packed.getvalue(), "plain": "p"})
    assert found.error == "" and "\n5\nabcx.txz\n" in found.text


def test_the_same_epoch_gives_the_same_image(argosyd):
    text = "FROM busybox\nRUN echo x > /f; mkdir /d; ln -s f /l\nCOPY a /a\nENV A=1\n"
    ids = {build(argosyd, text, {"a": "z"}, nocache=1, buildargs={"SOURCE_DATE_EPOCH": "1000"}).id for _ in range(2)}
    assert len(ids) == 1
    (image,) = ids
    assert argosyd.api("GET", f"/images/{image}/json")["Created"].startswith("1970-01-01T00:16:40")


def test_triggers_of_the_base_are_carried_out_first(argosyd):
    build(argosyd, "FROM busybox\nONBUILD RUN echo triggered > /trig\nONBUILD ENV ON=1\n", t="base")
    found = build(argosyd, "FROM base\nRUN cat /trig; echo $ON\n", t="child")
    assert "# Executing 2 build triggers" in found.text and "\ntriggered\n1\n" in found.text
    assert not argosyd.api("GET", "/images/child/json")["Config"]["OnBuild"]


def test_two_builds_at_once_do_a_step_once(argosyd):
    text = "FROM busybox\nRUN sleep 1; head -c 8 /dev/urandom | od -x > /r\n"
    found = []
    threads = [threading.Thread(target=lambda: found.append(build(argosyd, text))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.error for one in found] == ["", ""]
    assert found[0].id == found[1].id


def test_a_client_that_leaves_ends_its_build(argosyd):
    import http.client

    from support.daemon import UnixConnection

    connection = UnixConnection(argosyd.socket)
    connection.request("POST", "/v1.51/build?t=gone", context({"Dockerfile": "FROM busybox\nRUN echo begun; sleep 1000\n"}))
    answer: http.client.HTTPResponse = connection.getresponse()
    while b"begun" not in (line := answer.readline()) or b"Step" in line:
        assert line
    connection.sock.close()
    answer.close()
    connection.close()
    assert_nothing_left(argosyd)


def test_pruning_takes_what_no_image_has_and_says_how_much(argosyd):
    build(argosyd, "FROM busybox\nRUN dd if=/dev/zero of=/big bs=1024 count=512 2>/dev/null\n", t="kept")
    build(argosyd, "FROM busybox\nRUN dd if=/dev/zero of=/other bs=1024 count=256 2>/dev/null\n", t="gone")
    argosyd.api("DELETE", "/images/gone")
    entries = {entry["Size"]: entry for entry in argosyd.api("GET", "/system/df")["BuildCache"]}
    assert (entries[512 << 10]["Shared"], entries[256 << 10]["Shared"]) == (True, False)
    layers = argosyd.data_root / "overlay2/layers"
    before = len([name for name in os.listdir(layers) if not name.endswith(".init")])
    pruned = argosyd.api("POST", "/build/prune")
    assert (len(pruned["CachesDeleted"]), pruned["SpaceReclaimed"]) == (1, pytest.approx(256 << 10, abs=1 << 12))
    assert len([name for name in os.listdir(layers) if not name.endswith(".init")]) == before - 1
    assert len(argosyd.api("POST", "/build/prune?all=1")["CachesDeleted"]) == 1
    assert run(argosyd, "kept", "stat", "-c", "%s", "/big") == f"{512 << 10}\n"


def test_confinement_is_that_of_any_container(argosyd):
    text = "FROM busybox\nRUN grep -E 'CapEff|Seccomp:' /proc/self/status; mount -t tmpfs x /mnt; true\n"
    found = build(argosyd, text)
    assert "00000000a80425fb" in found.text and "Seccomp:\t2" in found.text
    assert "not permitted" in found.text or "denied" in found.text
    assert "is not allowed" in build(argosyd, "FROM busybox\nRUN --security=insecure true\n").error


def test_networks_of_a_step(argosyd):
    text = "FROM busybox\nRUN ls /sys/class/net; cat /etc/hosts\n"
    none = build(argosyd, text, networkmode="none", nocache=1)
    assert none.error == "" and "eth0" not in none.text
    bridge = build(argosyd, text, nocache=1, extrahosts="friend:1.2.3.4")
    assert "eth0" in bridge.text and "1.2.3.4\tfriend" in bridge.text
    assert "not found" in build(argosyd, text, networkmode="nosuch", nocache=1).error
    assert Path("/etc/hosts").exists() and "friend" not in run(argosyd, build(argosyd, text).id, "cat", "/etc/hosts")


def test_squashing_leaves_one_layer_on_the_base(argosyd):
    text = "FROM busybox\nRUN echo 1 > /a; rm /bin/vi; mkdir /d\nRUN echo 2 > /a; rmdir /d\nCOPY f /f\n"
    assert build(argosyd, text, {"f": "x"}, t="flat", squash=1).error == ""
    layers = argosyd.api("GET", "/images/flat/json")["RootFS"]["Layers"]
    assert len(layers) == 2
    assert run(argosyd, "flat", "sh", "-c", "cat /a /f; ls -d /d /bin/vi 2>&1 | grep -c No") == "2\nx2\n"


def test_our_own_client_shows_steps_and_hands_over_secrets(argosyd, tmp_path):
    place = tmp_path / "context"
    place.mkdir()
    (place / "Dockerfile").write_text("FROM busybox\nRUN echo said\nRUN --mount=type=secret,id=t test -s /run/secrets/t\n")
    (tmp_path / "secret").write_text("hush")
    done = argosyd.argosy("build", "--secret", f"id=t,src={tmp_path}/secret", "-t", "ours", str(place))
    assert done.returncode == 0, done.stderr
    assert "#2 [0 2/3] RUN echo said" in done.stdout and " said\n" in done.stdout and "#2 DONE" in done.stdout
    assert "Successfully tagged ours:latest" in done.stdout and "hush" not in done.stdout + done.stderr
    again = argosyd.argosy("build", "--secret", f"id=t,src={tmp_path}/secret", str(place))
    assert again.stdout.count("CACHED") == 2
    (place / "Dockerfile").write_text("FROM busybox\nRUN echo before; false\n")
    failed = argosyd.argosy("build", str(place))
    assert failed.returncode != 0 and "Dockerfile:2: RUN echo before; false" in failed.stdout
    assert "returned a non-zero code: 1" in failed.stderr


def test_a_base_that_is_not_here_is_pulled(argosyd, tmp_path):
    enter = ["nsenter", f"--net=/run/netns/{argosyd.name}", sys.executable, "-m"]
    serve = [*enter, "argosy.registry", "serve", "--root", str(tmp_path / "registry"), "--listen", "127.0.0.1:5000"]
    registry = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        name = "127.0.0.1:5000/base:1"
        argosyd.argosy("tag", "busybox", name)
        assert settled(lambda: argosyd.argosy("push", name).returncode, 0) == 0
        argosyd.argosy("rmi", name)
        found = build(argosyd, f"FROM {name}\nRUN echo here > /here\n", t="on-pulled")
        assert found.error == "" and any("Pulling from" in message.get("status", "") for message in found.messages)
        assert build(argosyd, f"FROM {name}\nRUN echo here > /here\n").id == found.id
        assert "nosuch not found" in build(argosyd, "FROM 127.0.0.1:5000/nosuch:1\n").error
    finally:
        registry.terminate()
        registry.wait(10)
