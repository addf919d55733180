from argosy.base.clock import SystemClock
from argosy.buildkit.progress import LOG_LIMIT, Progress


def step(state, **fields):
    return {"vertex": {"id": "0.2", "stage": "0", "state": state, **fields}}


def begun(progress, name="RUN x", number=2):
    return progress.take(step("running", name=name, step=number, steps=3))


def test_a_step_from_begin_to_end():
    progress = Progress("ref", SystemClock())
    (vertex,) = begun(progress).vertices
    assert vertex.name == "[stage-0 2/3] RUN x" and vertex.HasField("started") and not vertex.HasField("completed")
    (log,) = progress.take(step("output", output="said\n", stream=2)).logs
    assert (log.vertex, log.stream, log.msg) == (vertex.digest, 2, b"said\n")
    (done,) = progress.take(step("cached")).vertices
    assert (done.digest, done.cached, done.error) == (vertex.digest, True, "") and done.HasField("completed")


def test_digests_tell_builds_and_steps_apart():
    one, two = Progress("one", SystemClock()), Progress("two", SystemClock())
    digests = {progress.started(name).vertices[0].digest for progress in (one, two) for name in ("a", "b")}
    assert len(digests) == 4 and all(digest.startswith("sha256:") and len(digest) == 71 for digest in digests)


def test_a_failure_is_told_in_buildkits_words_and_others_are_cut_off():
    progress = Progress("ref", SystemClock())
    progress.started("[internal] load build context")
    begun(progress)
    (failed,) = progress.take(step("failed", error="classic", process='process "x" did not complete')).vertices
    assert failed.error == 'process "x" did not complete'
    (cut,) = progress.interrupted("classic")
    assert cut.vertices[0].error == "context canceled"


def test_the_output_of_a_step_is_kept_up_to_a_limit():
    progress = Progress("ref", SystemClock())
    begun(progress)
    said = [progress.take(step("output", output="x" * 100_000, stream=1)) for _ in range(40)]
    kept = b"".join(status.logs[0].msg for status in said if status)
    assert kept == b"x" * LOG_LIMIT + b"\n[output clipped, log limit 2MiB reached]\n" and said[-1] is None


def test_labels_of_the_request_are_no_step():
    progress = Progress("ref", SystemClock())
    assert begun(progress, "LABEL a=b", 4) is None
    assert progress.take(step("done")) is None


def test_a_pull_is_shown_in_its_from():
    progress = Progress("ref", SystemClock())
    pull = {"status": "Downloading", "id": "abc", "progressDetail": {"current": 5, "total": 9}}
    assert progress.take(pull) is None
    (vertex,) = begun(progress, "FROM busybox", 1).vertices
    (status,) = progress.take(pull).statuses
    assert (status.vertex, status.id, status.current, status.total) == (vertex.digest, "abc", 5, 9)
    (status,) = progress.take({"status": "Pull complete", "id": "abc"}).statuses
    assert status.HasField("completed")


def test_bytes_that_pass_have_one_beginning():
    progress = Progress("ref", SystemClock())
    progress.started("v")
    (first,) = progress.transferred("v", "files", 1).statuses
    (last,) = progress.transferred("v", "files", 2, over=True).statuses
    assert first.started == last.started and last.HasField("completed") and not first.HasField("completed")
