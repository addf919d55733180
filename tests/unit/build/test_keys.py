from argosy.build import keys
from argosy.oci.config import Config


def test_a_key_is_of_the_files_below_and_of_every_part():
    found = {
        keys.key("run", None, ("a",)),
        keys.key("run", "sha256:1", ("a",)),
        keys.key("run", "sha256:1", ("b",)),
        keys.key("copy", "sha256:1", ("b",)),
        keys.key("run", "sha256:1", ("b", "")),
    }
    assert len(found) == 5


def test_bytes_that_are_no_text_do_not_break_a_key():
    assert keys.key("copy", None, "na\udcffme") != keys.key("copy", None, "name")


def test_a_state_is_its_files_its_configuration_and_its_history():
    base = keys.state("sha256:1", Config(user="x"), ["USER x"])
    assert base != keys.state("sha256:1", Config(user="y"), ["USER x"])
    assert base != keys.state("sha256:1", Config(user="x"), ["USER y"])
    assert base == keys.state("sha256:1", Config(user="x"), ["USER x"])
