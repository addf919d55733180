import io

from argosy.cli.output.steps import Steps


class Time:
    now = 0.0

    def __call__(self):
        return self.now


def shown(events, *, live=False, width=60):
    out, time = io.StringIO(), Time()
    steps = Steps(out, live=live, width=width, clock=time)
    for event in events:
        time.now += 1
        steps.show(event)
    steps.close()
    return out.getvalue()


BEGIN = {"id": "0.2", "state": "running", "name": "RUN make", "stage": "app", "number": 2, "of": 3}


def test_plain_lines_carry_the_steps_number():
    text = shown([BEGIN, {"id": "0.2", "state": "output", "output": "one\ntw"}, {"id": "0.2", "state": "output", "output": "o"},
                  {"id": "0.2", "state": "done", "seconds": 3.21}])  # fmt: skip
    assert text == "#2 [app 2/3] RUN make\n#2 1.00 one\n#2 3.00 two\n#2 DONE 3.2s\n"


def test_a_cached_step_says_so():
    assert shown([BEGIN, {"id": "0.2", "state": "cached", "seconds": 0}]).endswith("#2 CACHED\n")


def test_on_a_terminal_a_failing_step_shows_its_last_words():
    lines = "".join(f"line {number}\n" for number in range(50))
    failed = {"id": "0.2", "state": "failed", "seconds": 1, "file": "Dockerfile", "line": 7}
    text = shown([BEGIN, {"id": "0.2", "state": "output", "output": lines}, failed], live=True)
    last = text.rpartition("\x1b[J")[2]
    assert "ERROR [app 2/3] RUN make" in last and "line 30\n" in last and "line 29\n" not in last
    assert last.endswith("Dockerfile:7: RUN make\n")


def test_on_a_terminal_running_steps_are_drawn_again():
    text = shown([BEGIN, {**BEGIN, "id": "1.4", "stage": "other", "number": 4}, {"id": "0.2", "state": "done", "seconds": 2}], live=True)
    assert text.count("\x1b[1A\x1b[J") >= 1 and " => [app 2/3] RUN make" in text and "2.0s\n" in text
