"""WARC files with daily seals, which grow by days; used by the benchmark `curves`.

The records are as short as a page of the site is not: what a seal costs depends on their number.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawler.site import ROOT as SITE
from crawler.types import Fetched
from crawler.warc import WarcStore, members
from crawler.warc.proofs import Proofs
from crawler.warc.seals import Seals

DAY = 500  # pairs of request and response that the crawler writes in a day
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class SealedArchive:
    """An archive of WARC files without a database. Each file has the records of 20 days."""

    def __init__(self, folder: Path) -> None:
        self._warc = WarcStore(folder / "warc")
        self._seals = Seals(folder)
        self._folder = folder / "warc" / "2026" / "01"
        self._folder.mkdir(parents=True)
        self.responses = 0

    def grow(self, responses: int) -> None:
        """Write and seal days until the archive has at least this number of responses."""
        while self.responses < responses:
            self.write_day()
            self.seal()

    def write_day(self) -> None:
        """Append the records of a day, which no seal covers yet."""
        file = self._folder / f"vna-20260101-{self.responses // DAY // 20:03}.warc.gz"
        with file.open("ab") as out:
            if out.tell() == 0:
                out.write(members.warcinfo(file.name, _BEGIN, "bench"))
            for number in range(self.responses, self.responses + DAY):
                url, body = f"{SITE}/x-post{number}.vnp", f"<p>{number}</p>".encode()
                at = _BEGIN + timedelta(seconds=number)
                response = Fetched(url, at, 200, "OK", "1.1", (("Content-Type", "text/html"),), body, body, url, ())
                out.write(b"".join(members.response_and_request(response, f"page:{number}")))
        self.responses += DAY

    def seal(self) -> None:
        """Seal what no seal covers yet."""
        self._seals.append(self._warc, "", _BEGIN + timedelta(seconds=self.responses))

    def prove(self) -> None:
        """Prove the first record of the newest day.

        Raises:
            RuntimeError: it cannot be proved.

        """
        seals, faults = self._seals.read()
        part = seals[-1].parts[0]
        proof = Proofs(seals, self._warc).of_record(part.file, part.start)
        if faults or proof is None or proof.path is None:
            raise RuntimeError(f"the record at byte {part.start} of {part.file} cannot be proved: {faults}")
