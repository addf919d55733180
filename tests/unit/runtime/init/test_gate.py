import os

import pytest

from argosy.runtime.init import gate


def test_words_reach_the_child_in_order() -> None:
    ours, theirs = gate.pair()
    child = gate.Gate(theirs)
    for word in (b"m", b"j", b"g"):
        ours.send(word)
    child.wait(gate.MAPPED)
    child.wait(gate.GO)


def test_a_dead_parent_ends_the_wait() -> None:
    ours, theirs = gate.pair()
    ours.close()
    with pytest.raises(gate.ParentGone):
        gate.Gate(theirs).wait(gate.GO)


def test_the_terminals_master_rides_on_the_prepared_message() -> None:
    ours, theirs = gate.pair()
    reader, writer = os.pipe()
    gate.Gate(theirs).prepared(reader)
    os.close(reader)
    word, received = gate.receive(ours)
    os.write(writer, b"x")
    assert (word, os.read(received, 1)) == (gate.PREPARED, b"x")
    assert not os.get_inheritable(received)
    os.close(writer)
    os.close(received)


def test_an_error_carries_number_stage_and_text() -> None:
    ours, theirs = gate.pair()
    gate.Gate(theirs).fail(13, "mount", "mounting \udcff failed")
    assert gate.parse_error(gate.receive(ours)[0]) == (13, "mount", "mounting \udcff failed")


def test_an_error_for_a_parent_that_is_gone_is_swallowed() -> None:
    ours, theirs = gate.pair()
    ours.close()
    gate.Gate(theirs).fail(1, "x", "y")


def test_the_reason_of_a_child_that_ended_with_a_word_unread_is_heard() -> None:
    ours, theirs = gate.pair()
    ours.send(gate.ADMITTED)
    child = gate.Gate(theirs)
    child.fail(2, "rootfs", "no")
    child.close()
    data, _ = gate.receive(ours)
    assert gate.parse_error(data) == (2, "rootfs", "no")
    assert gate.receive(ours) == (b"", -1)
    ours.close()
