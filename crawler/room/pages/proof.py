"""Files to cite and to prove an article: its citation for reference managers, and its evidence pack.

Both are the files that `vna cite` and `vna evidence` write.

Boundary: reads rows and WARC records.
"""

from __future__ import annotations

import crawler
from crawler.errors import PageError, StopError, StorageError
from crawler.room.language import _
from crawler.room.pages import article
from crawler.room.requests import Ask, NotHere, Page, RoomResponse
from crawler.room.room import Desk

#: A pack is made in memory, and compares all revisions: 20 MB and 5 seconds. Larger ones are for the command.
_MOST_BYTES = 16_000_000  # of the captures
_MOST_CHARACTERS = 500_000  # of the texts
_FORMATS = {
    "txt": ("text", "text/plain; charset=utf-8"),
    "bib": ("bibtex", "application/x-bibtex; charset=utf-8"),
    "ris": ("ris", "application/x-research-info-systems; charset=utf-8"),
    "json": ("csl-json", "application/vnd.citationstyles.csl+json; charset=utf-8"),
}


def cite(desk: Desk, ask: Ask) -> RoomResponse:
    """Return a citation as a file.

    Raises:
        NotHere: the archive does not have the article, or did not have it then.
        BadRequest: a parameter cannot be read.

    """
    stored = article.chosen(desk, ask).stored
    ending = ask.variables["format"]
    form, content_type = _FORMATS[ending]
    body = f"{article.citations(desk, stored)[form]}\n".encode()
    return _file(body, content_type, f"vna-{stored.id}-{stored.revision}.{ending}")


def evidence(desk: Desk, ask: Ask) -> Page | RoomResponse:
    """Return the evidence pack of an article.

    Raises:
        NotHere: the archive does not have the article.
        StorageError: the archive cannot be read.

    """
    from crawler.evidence import collected, packed, stored_seals  # noqa: PLC0415 - needs memory, and most visitors do not

    key = int(ask.variables["id"])
    if desk.archive.article(key) is None:
        raise NotHere(_("The archive has no such article."))
    captures, texts = desk.archive.size_of(key)
    if captures > _MOST_BYTES or texts > _MOST_CHARACTERS:
        command = f"vna evidence {key} --out evidence-{key}.zip"
        message = _("This evidence pack is too large for a page. Make it with this command:")
        return Page("problem.html", {"message": message, "detail": command, "kind": "large"}, 413)
    program = f"vna-archive {crawler.__version__}"
    try:
        seals, frequency = stored_seals(desk.folder), desk.frequency()
        contents, facts = collected(desk.archive, desk.warc, [key], program=program, seals=seals, frequency=frequency)
    except StorageError:
        raise
    except (StopError, PageError, OSError) as error:
        message = _("The evidence of this article cannot be read.")
        return Page("problem.html", {"message": message, "detail": str(error), "kind": "evidence"}, 503)
    return _file(packed(contents, facts), "application/zip", f"evidence-{key}.zip")


def _file(body: bytes, content_type: str, name: str) -> RoomResponse:
    return RoomResponse(200, content_type, body, {"Content-Disposition": f'attachment; filename="{name}"'})
