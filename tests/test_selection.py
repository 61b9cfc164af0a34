"""Which articles are selected: names, periods, and the filters of a query."""

from __future__ import annotations

import pytest

from crawler import query, selection
from crawler.errors import BadInput, UnknownName

SECTIONS = ["Culture - Sport", "Politique", "Santé", "Santé publique", "Société", "Économie"]


def select(text=None, **conditions):
    return selection.select(query.parse(text) if text else None, lambda: SECTIONS, **conditions)


def test_without_conditions_everything_is_selected():
    assert select() == selection.EVERYTHING
    assert not selection.EVERYTHING.is_of_an_instant


@pytest.mark.parametrize("name", ["Politique", "politique", "POLITIQUE", "Pólitique"])
def test_case_and_accents_of_a_name_do_not_matter(name):
    assert select(sections=[name]).sections == ("Politique",)


def test_several_names_are_selected_once_each():
    chosen = select(sections=["societe", "économie", "Société"], kinds=["Photo", "video"], states=["GONE"])
    assert (chosen.sections, chosen.kinds, chosen.states) == (("Société", "Économie"), ("photo", "video"), ("gone",))


@pytest.mark.parametrize(
    ("conditions", "what", "nearest"),
    [
        ({"sections": ["Politiqe"]}, "section", "Politique"),
        ({"sections": ["sante publiqu"]}, "section", "Santé publique"),
        ({"sections": ["Politique", "Ekonomie"]}, "section", "Économie"),
        ({"kinds": ["foto"]}, "kind", "photo"),
        ({"kinds": ["photos"]}, "kind", "photo"),
        ({"states": ["lief"]}, "state", "live"),
        ({"states": ["removed"]}, "state", "choose from live, suspect, gone"),
        ({"sections": [""]}, "section", "choose from Culture - Sport"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_names(conditions, what, nearest):
    with pytest.raises(UnknownName, match=f"there is no {what} ") as refused:
        select(**conditions)
    assert nearest in refused.value.hint


def test_a_long_wrong_name_is_cut_and_a_long_list_too():
    with pytest.raises(UnknownName) as refused:
        selection.known("column", ["z" * 10_000], [f"name{number}" for number in range(40)])
    assert len(str(refused.value)) + len(refused.value.hint) < 300
    assert refused.value.hint.endswith(", …")


def test_an_archive_without_sections_has_none_to_name():
    with pytest.raises(UnknownName) as refused:
        selection.known("section", ["Sport"], ())
    assert refused.value.hint == "the archive has none yet"


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        (None, {"since": "2024-02-01", "until": "2024-01-31"}),
        ("riz since:2024-02-01 until:2024-01-31", {}),
        ("riz until:2024-01-31", {"since": "2024-02-01"}),
    ],
)
def test_a_period_without_days_is_refused(text, conditions):
    with pytest.raises(BadInput, match="is after until"):
        select(text, **conditions)


def test_conditions_replace_the_filters_of_a_query():
    chosen = select("riz section:politique since:2024-01-01", sections=["sante"], since="2024-05-01")
    assert (chosen.sections, chosen.since, chosen.until) == (("Santé",), "2024-05-01", None)
    assert select("riz section:politique").sections == ("Politique",)
    assert select("riz").match == query.parse("riz").match


@pytest.mark.parametrize("conditions", [{"as_of": "2024-01-01T00:00:00Z"}, {"known_at": "2024-01-01T00:00:00Z"}])
def test_a_selection_may_be_of_an_instant(conditions):
    assert select(**conditions).is_of_an_instant
