"""Watched searches: which hits are sent, when, how often, and what a killed process repeats."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support import NOW, SITE, FakeClock, configured, hook, rows, working

from crawler import identity, watches
from crawler.daemon import jobs, watch_job
from crawler.errors import NotDelivered
from crawler.identity import Decision
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, Reading, TextBlock

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it

FOUND = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)  # 17:59 in Hanoi
HIT = watches.Hit(1, "Titre", "https://fr.vietnamplus.vn/a-post1.vnp", FOUND)


@pytest.mark.parametrize(
    ("every", "later", "due"),
    [
        ("hour", timedelta(0), False),
        ("hour", timedelta(seconds=59), False),
        ("hour", timedelta(minutes=1), True),
        ("hour", timedelta(days=1), True),
        ("hour", timedelta(hours=-2), True),
        ("day", timedelta(hours=6), False),
        ("day", timedelta(hours=6, minutes=1), True),  # midnight in Hanoi
    ],
)
def test_hits_are_due_in_the_next_period(every, later, due):
    assert watches.is_due([HIT], every, FOUND + later) is due
    assert not watches.is_due([], every, FOUND + later)


def test_a_digest_names_each_article_and_says_if_it_may_be_repeated():
    one = watches.digest("Mer", [HIT])
    assert (one.title, one.body) == ("Mer : 1 nouvel article", f"Titre\n{HIT.url}")
    two = watches.digest("Mer", [replace(HIT, url=None), replace(HIT, is_begun=True)])
    assert two.title == "Mer : 2 nouveaux articles"
    assert two.body.startswith("Titre\narticle 1\n\n")
    assert "peut-être déjà été envoyée" in two.body


def test_a_recipient_is_not_stored_in_the_clear():
    key = watches.recipient_key("mailto://user:password@your.domain")
    assert (len(key), "user" in key, key != watches.recipient_key("mailto://x")) == (16, False, True)


# --- the job ----------------------------------------------------------------------------------------------------------


def save(run, key, text, *, published_on="2026-11-21", revision=1):
    article = Article(
        title=f"Article {key}", blocks=(TextBlock("paragraph", text),), post_id=key, url=f"{SITE}/a-post{key}.vnp"
    )
    now = run.clock.now()
    intent = ArticleIntent(
        key=key, article=article, reading=Reading(text), decision=Decision("new", revision), fingerprint=f"{key}-{revision}",
        body_key=identity.body_key(article), simhash=0, published_on=published_on, parser=1, now=now,
    )  # fmt: skip
    with run.archive.transaction():
        run.archive.save_article(intent)


class Recipients:
    """Records what is sent; `failing` addresses cannot be reached, `killed` ends the process before or after sending."""

    def __init__(self):
        self.sent, self.failing, self.killed = [], set(), None

    def send(self, addresses, title, body):
        if self.killed == "before":
            raise KeyboardInterrupt
        if addresses[0] in self.failing:
            raise NotDelivered("could not send", "check")
        self.sent.append((addresses[0], title, body))
        if self.killed == "after":
            raise KeyboardInterrupt


CONFIG = {"alerts": ("json://a", "json://b"), "watches": {"Mer": "mer orientale"}, "watch_every": "hour"}


def config_of(folder, **changes):
    return configured(folder, **(CONFIG | changes))


def test_each_recipient_gets_each_hit_once(tmp_path):
    clock, to = FakeClock(NOW), Recipients()
    config = config_of(tmp_path)
    with working(tmp_path, clock) as run:
        save(run, 1, "La mer Orientale, avant la veille")
        clock.advance(hours=1)
        assert watch_job.send_hits(run, config, to.send) == []
        save(run, 2, "Une réunion sur la mer orientale")
        save(run, 3, "Autre chose")
        save(run, 4, "La mer orientale en 2012", published_on="2012-01-01")  # of a backfill
        for _ in range(5):
            watch_job.send_hits(run, config, to.send)
            clock.advance(hours=1)
        assert [(address, title) for address, title, _ in to.sent] == [
            ("json://a", "Mer : 1 nouvel article"),
            ("json://b", "Mer : 1 nouvel article"),
        ]
        assert "Article 2" in to.sent[0][2]
        save(run, 3, "Autre chose, sur la mer orientale", revision=2)  # matches only now
        watch_job.send_hits(run, config, to.send)
        clock.advance(hours=1)
        watch_job.send_hits(run, config, to.send)
        assert "Article 3" in to.sent[-1][2]
        assert len(to.sent) == 4


def test_a_failing_recipient_is_tried_again_and_delays_no_other(tmp_path):
    clock, to = FakeClock(NOW), Recipients()
    config, to.failing = config_of(tmp_path), {"json://a"}
    with working(tmp_path, clock) as run:
        watch_job.send_hits(run, config, to.send)
        save(run, 2, "La mer orientale")
        watch_job.send_hits(run, config, to.send)
        clock.advance(hours=1)
        assert len(watch_job.send_hits(run, config, to.send)) == 1
        assert [address for address, *_ in to.sent] == ["json://b"]
        to.failing = set()
        assert watch_job.send_hits(run, config, to.send) == []
        assert [address for address, *_ in to.sent] == ["json://b", "json://a"]
        assert "peut-être" not in to.sent[-1][2]


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_killed_process_loses_no_hit_and_says_what_it_repeats(tmp_path, killed):
    clock, to = FakeClock(NOW), Recipients()
    config = config_of(tmp_path, alerts=("json://a",))
    with working(tmp_path, clock) as run:
        watch_job.send_hits(run, config, to.send)
        save(run, 2, "La mer orientale")
        watch_job.send_hits(run, config, to.send)
        clock.advance(hours=1)
        to.killed = killed
        with pytest.raises(KeyboardInterrupt):
            watch_job.send_hits(run, config, to.send)
    to.killed, to.failing = None, {"json://a"}
    with working(tmp_path, clock) as run:
        assert len(watch_job.send_hits(run, config, to.send)) == 1, "a failed attempt in between changes nothing"
        to.failing = set()
        for _ in range(3):
            assert watch_job.send_hits(run, config, to.send) == []
            clock.advance(hours=1)
    assert len(to.sent) == {"before": 1, "after": 2}[killed]
    assert "peut-être" in to.sent[-1][2]
    assert [row["sent_at"] is None for row in rows(tmp_path, "SELECT sent_at FROM watch_hits")] == [False]


def test_many_hits_are_sent_in_several_messages(tmp_path, monkeypatch):
    monkeypatch.setattr(watches, "MOST_SENT", 2)
    clock, to = FakeClock(NOW), Recipients()
    config = config_of(tmp_path, alerts=("json://a",))
    with working(tmp_path, clock) as run:
        watch_job.send_hits(run, config, to.send)
        for key in range(1, 6):
            save(run, key, "La mer orientale")
        watch_job.send_hits(run, config, to.send)
        clock.advance(hours=1)
        watch_job.send_hits(run, config, to.send)
    assert [title for _, title, _ in to.sent] == ["Mer : 2 nouveaux articles"] * 2 + ["Mer : 1 nouvel article"]


def test_an_article_saved_between_two_runs_is_sent(tmp_path):
    clock, to = FakeClock(NOW), Recipients()
    config = config_of(tmp_path, alerts=("json://a",))
    with working(tmp_path, clock) as run:
        watch_job.send_hits(run, config, to.send)
        for key, minutes in ((3, 10), (2, 20)):
            clock.advance(minutes=5)
            save(run, key, "La mer orientale")
            clock.advance(minutes=minutes)
            watch_job.send_hits(run, config, to.send)
        clock.advance(hours=1)
        watch_job.send_hits(run, config, to.send)
    ((_, title, body),) = to.sent
    assert title == "Mer : 2 nouveaux articles"
    assert body.index("Article 3") < body.index("Article 2"), "in the order in which they were found"


def test_a_changed_search_begins_again(tmp_path):
    clock, to = FakeClock(NOW), Recipients()
    with working(tmp_path, clock) as run:
        watch_job.send_hits(run, config_of(tmp_path), to.send)
        save(run, 2, "Le riz et la mer orientale")
        clock.advance(hours=1)
        for _ in range(2):
            watch_job.send_hits(run, config_of(tmp_path, watches={"Mer": "riz"}), to.send)
            clock.advance(hours=1)
    assert to.sent == []


@pytest.mark.parametrize(
    ("changes", "part"), [({"alerts": ()}, "[alerts] to is empty"), ({"watches": {"x": "-Cuba"}}, "no search term")]
)
def test_what_cannot_be_watched_is_a_failure_of_the_job(tmp_path, changes, part):
    with working(tmp_path, FakeClock(NOW)) as run:
        (job,) = [job for job in jobs.jobs(config_of(tmp_path, **changes)) if job.name == "watch"]
        result = job.work(run)
    assert not result.ok
    assert part in result.outcome


def test_the_job_sends_through_the_addresses_of_the_alerts(tmp_path):
    pytest.importorskip("apprise")
    clock = FakeClock(NOW)
    with hook() as receiver, working(tmp_path, clock) as run:
        config = config_of(tmp_path, alerts=(f"json://127.0.0.1:{receiver.server_port}/",))
        (job,) = [job for job in jobs.jobs(config) if job.name == "watch"]
        assert job.work(run).ok
        save(run, 2, "La mer orientale")
        job.work(run)
        clock.advance(hours=1)
        assert job.work(run).ok
        assert [body["title"] for body in receiver.accepted] == ["Mer : 1 nouvel article"]
    assert not [job for job in jobs.jobs(configured(tmp_path)) if job.name == "watch"]
