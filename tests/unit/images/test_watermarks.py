import hypothesis.strategies as st
from hypothesis import given

from argosy.images.watermarks import Candidate, Watermarks, choose, excess

MARKS = Watermarks(85, 75)


def test_nothing_is_freed_below_the_high_mark():
    assert excess(MARKS, used=84, available=16) == 0
    assert excess(MARKS, used=85, available=15) == 10
    assert excess(MARKS, used=100, available=0) == 25
    assert excess(MARKS, used=0, available=0) == 0
    assert excess(Watermarks(0, 75), used=100, available=0) == 0


def test_the_least_recently_used_go_first_and_no_more_than_needed():
    candidates = [Candidate("new", 9, {"n": 50}), Candidate("old", 1, {"o": 50}), Candidate("middle", 5, {"m": 50})]
    assert choose(candidates, held=(), need=0) == []
    assert choose(candidates, held=(), need=50) == ["old"]
    assert choose(candidates, held=(), need=51) == ["old", "middle"]
    assert choose(candidates, held=(), need=1000) == ["old", "middle", "new"]


def test_what_others_need_counts_as_nothing_freed():
    candidates = [Candidate("old", 1, {"base": 100, "o": 1}), Candidate("new", 2, {"base": 100, "n": 1})]
    assert choose(candidates, held={"base"}, need=2) == ["old", "new"]
    # The shared base comes free with the second of the two.
    assert choose(candidates, held=(), need=50) == ["old", "new"]


PARTS = st.dictionaries(st.sampled_from("abcdefgh"), st.just(0), max_size=5)
SIZES = {name: 10 + index for index, name in enumerate("abcdefgh")}


@given(st.lists(st.tuples(st.integers(0, 5), PARTS), max_size=8), st.sets(st.sampled_from("abcdefgh")), st.integers(0, 200))
def test_enough_comes_free_or_everything_goes_and_no_image_too_many(images, held, need):
    candidates = [Candidate(str(number), used, {part: SIZES[part] for part in parts}) for number, (used, parts) in enumerate(images)]

    def freed(gone):
        kept = {part for candidate in candidates if candidate.image not in gone for part in candidate.parts} | held
        lost = {part for candidate in candidates if candidate.image in gone for part in candidate.parts} - kept
        return sum(SIZES[part] for part in lost)

    gone = choose(candidates, held=held, need=need)
    assert freed(gone) >= need or len(gone) == len(candidates)
    assert not gone or freed(gone[:-1]) < need
    used = {candidate.image: candidate.last_used for candidate in candidates}
    assert all(used[name] <= used[other] for name in gone for other in used if other not in gone)
