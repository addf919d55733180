from argosy.daemon.metrics import exposition
from argosy.engine.model import Health, State, Status


def test_states_and_verdicts_are_counted():
    states = [
        State(status=Status.RUNNING, health=Health(status="healthy")),
        State(status=Status.PAUSED),
        State(status=Status.EXITED),
        State(status=Status.CREATED),
    ]
    text = exposition({"version": "1"}, {"NCPU": 2, "MemTotal": 5}, states)
    assert 'engine_daemon_container_states_containers{state="running"} 1' in text
    assert 'engine_daemon_container_states_containers{state="paused"} 1' in text
    assert 'engine_daemon_container_states_containers{state="stopped"} 2' in text
    assert 'engine_daemon_health_status_containers{status="healthy"} 1' in text
    assert 'engine_daemon_engine_info{version="1"} 1' in text
    assert text.endswith("\n")
