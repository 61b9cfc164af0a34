"""Answers that were kept, but whose rows a process had no time to write: taken in before anything else is asked for.

They stand at the end of a file, behind the last answer that has a row. A visit that was cut off in the middle goes on
over the network where it was.

Boundary: order only.
"""

from __future__ import annotations

from crawler.pipeline import Context
from crawler.replay.record_stream import Reel, Strip, day_of
from crawler.replay.replayer import Player
from crawler.warc import Record

_RECOVERY = 0  # claimed in place of a page: no page has this id


def recover(context: Context) -> int:
    """Take in what processes that ended left over, this one's own included; give how many visits and rows that was.

    Raises:
        StopError: a visit cannot go on; what is left over stays where it is.

    """
    context.warc.close()  # what this process itself did not come to is at the end of its own file
    context.forget()
    with context.archive.claim(_RECOVERY) as claimed:
        if not claimed:  # another process is at it; nobody writes behind what is left over meanwhile
            return 0
        left = [(name, records) for name in context.warc.names() if (records := _left_over(context, name))]
        player = Player(context, Reel([Strip(day_of(name), iter(records)) for name, records in left]), context)
        player.play_all()
    return player.report.taken


def _left_over(context: Context, name: str) -> list[Record]:
    with context.warc.alone_with(name) as alone:
        return context.warc.left_over(name) if alone else []
