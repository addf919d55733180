import pytest

from argosy.linux.signals import is_valid, parse_signal, signal_name


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SIGTERM", 15),
        ("TERM", 15),
        ("term", 15),
        ("15", 15),
        ("9", 9),
        ("SIGRTMIN+1", 35),
        ("RTMIN+1", 35),
        ("RTMAX-14", 50),
        ("RTMAX", 64),
    ],
)
def test_names_and_numbers_mean_what_docker_means_by_them(text: str, number: int) -> None:
    assert parse_signal(text) == number


@pytest.mark.parametrize("text", ["", "SIGNOPE", "0", "1.5", " 15", "RTMIN+16", "SIG", "1_5", "١٥"])
def test_nonsense_is_refused_in_dockers_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^invalid signal: "):
        parse_signal(text)


def test_a_number_without_a_name_is_known_by_itself() -> None:
    assert signal_name(15) == "SIGTERM"
    assert signal_name(99) == "99"
    assert not is_valid(65)
    assert is_valid(64)
