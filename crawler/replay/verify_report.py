"""The report of `vna verify`: what was checked, and the faults found.

Boundary: values.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VerifyFault:
    """One fault: what it is, where it is, how much is affected, and what to do about it.

    `table` is the table of a row that differs from the evidence; it is empty for other faults.
    """

    what: str
    where: str
    detail: str
    advice: str
    table: str = ""


@dataclass
class VerifyReport:
    """What was checked, and the faults found; `finished` is False if the check was stopped.

    `unchecked` names the tables that could not be checked because the archive cannot be written. `evidence_lost`:
    whether a record is damaged or missing. `recomputed`: whether all rows were compared with the evidence; the
    docstring of `RowCheck` explains `unrepaired`, `unaided`, `unasked` and `bugs`. `sealed_at` is the time of the newest
    seal and `newest_seal` its digest; both are empty if there is no seal, or if the seals were not checked. `stamped_at` is
    the newest time of a time stamp and `stamped_seal` the digest of its seal; `time_stamps` counts those that are right, and
    `unchecked_stamps` those that were not checked, because the library is missing. `unindexed` is the number of WARC
    files with records that are not in the index for other tools yet.
    """

    files: int = 0
    records: int = 0
    rows: int = 0
    finished: bool = False
    faults: list[VerifyFault] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    evidence_lost: bool = False
    recomputed: bool = False
    sealed_at: str = ""
    newest_seal: str = ""
    time_stamps: int = 0
    unchecked_stamps: int = 0
    unindexed: int = 0
    stamped_at: str = ""
    stamped_seal: str = ""
    unrepaired: int = 0
    unaided: int = 0
    unasked: int = 0
    bugs: int = 0
