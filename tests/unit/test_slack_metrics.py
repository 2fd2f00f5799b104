from __future__ import annotations

from onbrand_slack.metrics import FIRST_GUESS, Metrics


def test_figures_are_exposed_by_name_and_label() -> None:
    metrics = Metrics()
    metrics.requests.labels("command", "200").inc()
    metrics.jobs.labels("check", "done").inc(2)
    metrics.ack_seconds.observe(0.02)
    metrics.watch_queue("score", lambda: 7)
    text = metrics.exposition().decode()
    assert 'onbrand_slack_requests_total{kind="command",status="200"} 1.0' in text
    assert 'onbrand_slack_jobs_total{kind="check",outcome="done"} 2.0' in text
    assert 'onbrand_slack_ack_seconds_bucket{le="0.025"} 1.0' in text
    assert 'onbrand_slack_queue{lane="score"} 7.0' in text


def test_two_apps_in_a_process_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.retries.labels("chat.postMessage").inc()
    assert b"chat.postMessage" in one.exposition()
    assert b"chat.postMessage" not in other.exposition()


def test_a_database_that_is_away_does_not_hide_the_rest() -> None:
    def away() -> float:
        raise OSError

    metrics = Metrics()
    metrics.watch_queue("post", away)
    metrics.watch_posting(lambda: 3)
    text = metrics.exposition().decode()
    assert 'onbrand_slack_queue{lane="post"} NaN' in text
    assert "onbrand_slack_posting 3.0" in text


def test_what_a_draft_takes_follows_the_latest() -> None:
    metrics = Metrics()
    assert metrics.seconds_a_draft == FIRST_GUESS
    for _ in range(50):
        metrics.scored(2.0)
    assert 1.9 < metrics.seconds_a_draft < 2.0
    metrics.scored(12.0)
    assert 2.9 < metrics.seconds_a_draft < 3.0, "one alone says little"
    assert b"onbrand_slack_score_seconds_count 51.0" in metrics.exposition()
