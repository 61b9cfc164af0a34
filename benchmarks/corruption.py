"""Plant each kind of damage into a copy of an archive, and check that `vna verify` finds it: `./run.sh bench corruption`.

Each kind is planted alone. Then `vna verify` must report it and name the table and row, or the file. After the remedy
that it advises, it must report nothing. `--only TEXT` plants only the kinds with this text in their names, `--from TEXT`
begins with the first of them; `--fast` tries the remedy only for the first changed column of each table. Prints a table
and returns 1 if a kind is not found, not named or not put right.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import Counter
from itertools import dropwhile
from pathlib import Path

from typer.testing import CliRunner

from benchmarks import corruption_archive
from benchmarks.corruption_forgeries import forgeries
from benchmarks.corruption_kinds import Kind, changed_columns, records, rows, schema
from crawler.cli.main import app
from crawler.errors import StopError
from crawler.storage import FILE
from crawler.warc.seals import SEALS

Fault = dict[str, str]
_COMMANDS = {"reparse": ("reparse",), "reindex": ("verify", "--reindex", "--sample", "1"), "poll": ("poll",)}
_COPIES = {  # what is copied back, and how the table calls it
    "warc": ("warc", "the WARC files from a backup"),
    "seals": (SEALS, "the seals from a copy"),
    "restore": ("", "a backup of the archive"),
}


def command(archive: Path, *words: str) -> tuple[int, str, str]:
    """Run a command on an archive; return its exit code, its output and its messages. A traceback ends the benchmark."""
    site = archive.with_name(corruption_archive.ADDRESS).read_text()
    done = CliRunner().invoke(app, ["--archive", str(archive), "--site", site, *words])
    if isinstance(done.exception, StopError):
        return 1, "", str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def verified(archive: Path) -> list[Fault]:
    """Return the faults that `vna verify` finds; raise an error if its exit code does not fit."""
    code, out, error = command(archive, "verify", "--json")
    if not out:
        return [{"what": "refused", "where": error, "detail": "", "advice": "", "table": ""}]
    faults: list[Fault] = json.loads(out)["faults"]
    assert code == (5 if faults else 0), code
    return faults


def rebuilt(archive: Path) -> str:
    """Rebuild the database and replace the old one; return which options were needed."""
    old = (archive / FILE).stat().st_ino if (archive / FILE).exists() else None
    code, _, error = command(archive, "rebuild", "--replace")
    if (archive / FILE).exists() and (archive / FILE).stat().st_ino != old:
        return "rebuild --replace"
    if not (archive / "rebuilt").exists():
        return f"rebuild failed ({code}): {error[-200:]}"
    shutil.rmtree(archive / "rebuilt", ignore_errors=True)
    command(archive, "rebuild", "--replace", "--accept-loss")
    return "rebuild --replace --accept-loss"


def remedied(kind: Kind, archive: Path, intact: Path) -> str:
    """Put a damage right; return how."""
    if kind.remedy == "rebuild":
        return rebuilt(archive)
    if words := _COMMANDS.get(kind.remedy):
        command(archive, *words)
        return " ".join(words)
    name, done = _COPIES[kind.remedy]
    if (archive / name).is_dir():
        shutil.rmtree(archive / name)
        shutil.copytree(intact / name, archive / name)
    else:
        shutil.copy(intact / name, archive / name)
    return done


def _is_named(kind: Kind, faults: list[Fault]) -> bool:
    texts = [" ".join((fault["where"], fault["detail"], fault["table"])) for fault in faults]
    return any(all(name in text for name in kind.named) for text in texts)


def tried(kind: Kind, intact: Path, folder: Path, *, with_remedy: bool) -> tuple[str, str, str]:
    """Plant a damage; return whether it is found, the remedy, and whether the archive is sound afterwards."""
    archive = folder / "archive"
    shutil.rmtree(archive, ignore_errors=True)
    shutil.copytree(intact, archive)
    kind.damage(archive)
    faults = verified(archive)
    if kind.harmless:
        return "harmless", "", ""
    found = "named" if _is_named(kind, faults) else "found, not named" if faults else "NOT FOUND"
    if not with_remedy:
        return found, "", ""
    remedy = remedied(kind, archive, intact)
    left = verified(archive)
    return found, remedy, "sound" if not left else f"STILL: {left[0]['what']} {left[0]['where']}"


def kinds(archive: Path) -> list[Kind]:
    """Return all kinds of damage for an archive."""
    return [*changed_columns(archive), *rows(archive), *schema(archive), *records(archive), *forgeries(archive)]


def main() -> int:
    """Print the table; return 1 if a kind is not found, not named or not put right."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--from", default="", dest="first")
    parser.add_argument("--fast", action="store_true")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    tables: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        intact = folder / "intact"
        corruption_archive.make(intact)
        assert not verified(intact), "the archive is damaged before anything is planted"
        for kind in dropwhile(lambda kind: options.first not in f"{kind.group}: {kind.name}", kinds(intact)):
            if options.only not in f"{kind.group}: {kind.name}":
                continue
            table = kind.name.partition(".")[0] if kind.group == "changed column" else kind.name
            tables[table] += 1
            with_remedy = not options.fast or tables[table] == 1
            found, remedy, after = tried(kind, intact, folder, with_remedy=with_remedy)
            print(f"{kind.group:15} {kind.name:70} {found:17} {remedy:32} {after}", flush=True)
            if kind.harmless:
                print(f"{'':15}   {kind.harmless}")
            counts[found] += 1
            counts["not put right"] += after.startswith("STILL")
    print(f"\n{sum(tables.values())} kinds: {', '.join(f'{count} {what}' for what, count in counts.items() if count)}")
    return int(any(counts[what] for what in ("NOT FOUND", "found, not named", "not put right")))


if __name__ == "__main__":
    raise SystemExit(main())
