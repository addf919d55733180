import random

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.engine.names import ADJECTIVES, SURNAMES, check_name, random_name


@pytest.mark.parametrize("name", ["web", "/web", "a1", "A_b.c-d"])
def test_good_names_lose_their_slash(name):
    assert check_name(name) == name.lstrip("/")


@pytest.mark.parametrize("name", ["a", "-web", "a b", "wéb", "web\n", "//web", "a/b"])
def test_bad_names_are_refused_in_dockers_words(name):
    with pytest.raises(InvalidParameterError) as error:
        check_name(name)
    assert str(error.value) == f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"


def test_a_random_name_is_an_adjective_and_a_surname():
    adjective, surname = random_name(lambda _: False, random.Random(1)).split("_")
    assert adjective in ADJECTIVES
    assert surname in SURNAMES


def test_a_taken_name_is_drawn_again_with_a_number():
    plain = {f"{a}_{s}" for a in ADJECTIVES for s in SURNAMES}
    name = random_name(lambda text: text in plain, random.Random(1))
    assert name[-1].isdigit()


def test_every_word_makes_a_valid_name():
    for word in (*ADJECTIVES, *SURNAMES):
        assert word.isascii() and word.islower() and word.isalpha(), word
