"""What is made of the user that ``--userns-remap default`` means."""

from argosy.daemon.remap import missing_parts


def parts(**there: object) -> list[list[str]]:
    return missing_parts(**{"user": True, "group": True, "subuid": "argosy:100000:65536", "subgid": "argosy:100000:65536", **there})  # type: ignore[arg-type]


def test_nothing_is_made_when_all_is_there() -> None:
    assert parts() == []


def test_ranges_are_taken_after_those_of_others() -> None:
    assert parts(subuid="ann:100000:65536\n", subgid="") == [
        ["usermod", "--add-subuids", "165536-231071", "argosy"],
        ["usermod", "--add-subgids", "100000-165535", "argosy"],
    ]


def test_the_group_is_there_before_its_user() -> None:
    first, second = parts(user=False, group=False)
    assert first == ["groupadd", "--system", "argosy"]
    assert second[0] == "useradd" and second[second.index("--gid") + 1] == "argosy"
