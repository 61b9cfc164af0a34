"""Backups: a consistent copy of the database, a manifest (the list of the WARC files), and optionally these files.

A backup is a folder with `vna.db`, `manifest.json`, the seals and their time stamps if there are any, and optionally
`warc/`. A new backup into the same folder replaces the database only when the new copy is complete and has passed its
checks, and copies only new or longer WARC files.

```
make          back up an archive: the checks, the order of the steps
target        which folder may be used for a backup or for a restored archive
warc_copies   compare each WARC file with its copy in the backup, and decide which of them is good
seal_copies   copy the seals, and replace the copy only by a file that continues it
restore       restore a backup into a new archive folder
contents      the manifest: its values, how it is read and written
files         copy files durably; refuse links and special files
```

Boundary: calls the steps in order; `crawler.storage` copies and compares databases, `crawler.warc` computes the
digests. The archive is only read, so the service may keep running.
"""

from crawler.backup.contents import MANIFEST, Backup
from crawler.backup.make import back_up
from crawler.backup.restore import Restored, restore

__all__ = ["MANIFEST", "Backup", "Restored", "back_up", "restore"]
