from argosy.build.transcript import Transcript


def made(**options):
    sent = []
    return Transcript(sent.append, [0, 1, 2], **{"detailed": False, "quiet": False} | options), sent


def texts(sent):
    return "".join(message.get("stream", "") for message in sent)


def test_stages_speak_in_the_order_of_the_dockerfile():
    transcript, sent = made()
    transcript.text(1, "b1 ")
    transcript.text(0, "a1 ")
    transcript.text(2, "c1 ")
    assert texts(sent) == "a1 "
    transcript.finished(1)
    transcript.finished(0)
    assert texts(sent) == "a1 b1 c1 "
    transcript.text(2, "c2 ")
    assert texts(sent) == "a1 b1 c1 c2 "


def test_a_stage_that_fails_is_heard_at_once_and_alone():
    transcript, sent = made()
    transcript.text(0, "a1 ")
    transcript.text(1, "b1 ")
    transcript.failed(1)
    transcript.text(1, "b2 ")
    transcript.text(0, "a2 ")
    assert texts(sent) == "a1 b1 b2 "


def test_only_who_asks_for_it_gets_messages_about_steps():
    plain, sent = made()
    plain.vertex(id="1")
    assert sent == []
    detailed, sent = made(detailed=True)
    detailed.vertex(id="1")
    assert sent == [{"vertex": {"id": "1"}}]


def test_quiet_says_nothing():
    transcript, sent = made(quiet=True)
    transcript.text(0, "a")
    assert sent == []
