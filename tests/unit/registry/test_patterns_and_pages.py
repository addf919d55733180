from hypothesis import given
from hypothesis import strategies as st

from argosy.registry.page.write import ago, text
from argosy.registry.paging import page_of
from argosy.registry.patterns import Pattern


def test_one_star_ends_at_a_slash_and_two_do_not() -> None:
    assert Pattern("team/*").matches("team/app") and not Pattern("team/*").matches("team/app/sub")
    assert Pattern("team/**").matches("team/app/sub") and Pattern("**").matches("a/b")
    assert Pattern("v?.*").matches("v1.2") and not Pattern("v?.*").matches("v12")
    assert not Pattern("a.c").matches("abc") and not Pattern("a").matches("ab")


@given(st.lists(st.text("ab-/", min_size=1), unique=True).map(sorted), st.integers(1, 4))
def test_pages_together_are_the_list(names: list[str], n: int) -> None:
    seen: list[str] = []
    last = ""
    while True:
        page = page_of(names, n=n, last=last, path="/v2/x/tags/list")
        seen += page.items
        if not page.link:
            break
        assert len(page.items) == n and page.link.endswith('; rel="next"')
        last = page.items[-1]
    assert seen == names


def test_ages_in_words() -> None:
    assert [ago(0, seconds) for seconds in (5, 60, 7200, 90000, 10**8)] == [
        "just now",
        "1 minute ago",
        "2 hours ago",
        "1 day ago",
        "3 years ago",
    ]


def test_text_is_no_markup() -> None:
    assert text("<a href='\"'>&") == "&lt;a href=&#x27;&quot;&#x27;&gt;&amp;"
