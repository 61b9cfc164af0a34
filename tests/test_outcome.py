"""Outcomes and purposes: how they are written, and that a purpose can be read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RecordedProgress

from crawler.errors import BadStatus, Disallowed, Unreachable
from crawler.outcome import Outcome, OutcomeKind, PercentPhase
from crawler.purpose import ROBOTS, Purpose, PurposeKind

URL = "https://fr.vietnamplus.vn/titre-post245060.vnp"
LINES = {
    "new: 245060 Titre": Outcome(OutcomeKind.NEW, 245060, URL, "Titre"),
    "absent: 245060": Outcome(OutcomeKind.ABSENT, 245060),
    f"failed: {URL}: HTTP status 500": Outcome(OutcomeKind.FAILED, url=URL, detail="HTTP status 500"),
    f"unchanged: {URL}": Outcome(OutcomeKind.UNCHANGED, url=URL),
    "2026-11-21: 5 records": Outcome(OutcomeKind.PROGRESS, detail="2026-11-21: 5 records"),
}


@pytest.mark.parametrize(("line", "outcome"), LINES.items(), ids=LINES)
def test_an_outcome_is_one_line(line, outcome):
    assert str(outcome) == line


def test_routine_outcomes_and_faults():
    routine = {kind for kind in OutcomeKind if kind.is_routine}
    faults = {kind for kind in OutcomeKind if kind.is_fault}
    assert routine == {"unchanged", "skipped", "no news", "not modified"}
    assert faults == {"failed", "rejected", "drift", "list absent"}


@pytest.mark.parametrize(
    ("error", "is_absence"),
    [
        (BadStatus(URL, 404), True),
        (BadStatus(URL, 410), True),
        (BadStatus(URL, 503), False),
        (Disallowed(URL, "robots.txt forbids this"), True),
        (Unreachable(URL, "no response"), False),
    ],
)
def test_an_early_retry_is_pointless_where_nothing_is_to_fetch(error, is_absence):
    assert error.is_absence == is_absence


PURPOSES = {
    "page:245060": Purpose.page(245060),
    f"source:{URL}": Purpose.source(URL),
    "plan:sitemap:https://x/a.xml": Purpose.listing("sitemap", "https://x/a.xml"),
    "sonar": Purpose(PurposeKind.ID_SUPPORT),
    "robots": ROBOTS,
}


@pytest.mark.parametrize(("text", "purpose"), PURPOSES.items(), ids=PURPOSES)
def test_a_purpose_is_written_and_read_back(text, purpose):
    assert str(purpose) == text
    assert Purpose.parse(text) == purpose


def test_a_listed_source_is_read_back():
    assert Purpose.listing("section", URL).listed_source == ("section", URL)
    assert Purpose(PurposeKind.LIST, f"other:{URL}").listed_source == (None, URL)


@pytest.mark.parametrize("text", ["", "another", "another:245060", "Page:1"])
def test_a_purpose_of_another_version_is_none(text):
    assert Purpose.parse(text) is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(PurposeKind)), st.text(max_size=20))
def test_any_subject_survives(kind, subject):
    purpose = Purpose(kind, subject)
    assert Purpose.parse(str(purpose)) == purpose


def test_a_phase_in_percent_has_a_step_for_each_percent():
    for amount, done in ((1000, (4, 5, 10, 25, 1000)), (3, (1, 2, 3)), (1, (1,)), (0, (0, 1))):
        progress = RecordedProgress()
        phase = PercentPhase(progress, "rebuild", amount)
        for part in done:
            phase.reach(part, f"{part} bytes")
        assert progress.phases == [("rebuild (%)", 100)]
        assert {one.kind for one in progress.outcomes} == {OutcomeKind.PERCENT}
        assert (len(progress.steps), progress.steps[-1]) == (100, f"{done[-1]} bytes")
