"""Hand exports to other tools: pandas, Polars, DuckDB, Hugging Face datasets, Spark, Frictionless and R.

Each tool must give back the ids, titles and texts of the archive, which has articles with and without a date. The Python
packages are installed into an environment of their own; R is used if it is installed.

    ./run.sh bench readers                  installs the tools into `.venv-readers/`, which takes some minutes
    ./run.sh bench readers --articles N     a larger archive
    ./run.sh bench readers --into DIR       another folder for the tools
    ./run.sh bench readers --tei FILE       also validates TEI with this RELAX NG schema, such as tei_all.rng
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.environments import python_with
from benchmarks.poll import SEEDS
from benchmarks.reader_worker import digest
from benchmarks.room_archive import articles
from benchmarks.search import fill
from crawler.storage import open_archive

ROOT = Path(__file__).parents[1]
WORKER = Path(__file__).with_name("reader_worker.py")
PACKAGES = (
    "pandas", "polars", "duckdb", "datasets", "pyspark", "frictionless[json,parquet]", "lxml",
    "--editable", f"{ROOT}[parquet]",
)  # fmt: skip
FORMATS = ("jsonl", "csv", "parquet", "text", "tei")
#: Tool of `reader_worker`, and the path that it reads, relative to the folder of the exports.
READS = (
    ("pandas", "plain"),
    ("polars", "plain"),
    ("duckdb", "plain"),
    ("datasets", "parquet"),
    ("datasets", "jsonl"),
    ("datasets", "csv"),
    ("spark", "plain"),
    ("pandas csv", "excel.csv"),
    ("open_archive pandas", "archive"),
    ("open_archive polars", "archive"),
)
#: Expressions of R that read an export, by package and path.
_R_READS = {
    ("utils", "excel.csv"): (
        "read.csv(path, fileEncoding = 'UTF-8-BOM', colClasses = 'character', na.strings = character())"
    ),
    ("arrow", "plain"): "as.data.frame(arrow::open_dataset(path))",
}
_R_FIELD, _R_ROW = "\x1f", "\x1e"  # control characters, which no text contains
_R_PRINT = (
    "path <- commandArgs(TRUE)[1]; x <- {read};"
    " cat(enc2utf8(paste(x$id, x$title, x$clean, sep = '\\x1f', collapse = '\\x1e')))"
)


def installed(folder: Path) -> Path:
    """Return the programs of the environment with all tools."""
    return python_with(PACKAGES, folder).parent


def timed(*command: object) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Run a command; return its seconds and the result."""
    start = time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return time.perf_counter() - start, done


def show(name: str, seconds: float, result: str) -> None:
    """Print one line of the table."""
    print(f"{name:38} {seconds:7.1f} s   {result}", flush=True)


def export(folder: Path, *words: str) -> bool:
    """Export with some options; return whether that worked."""
    seconds, done = timed(sys.executable, "-m", "crawler", "--archive", folder / "archive", "export", *words)
    show(
        f"vna export {' '.join(word for word in words if str(folder) not in word)}",
        seconds,
        done.stderr.strip().splitlines()[-1],
    )
    return done.returncode == 0


def read(programs: Path, folder: Path, expected: tuple[int, str]) -> bool:
    """Read the exports with each tool; return whether all of them gave back the archive."""
    fine = True
    for tool, place in READS:
        seconds, done = timed(programs / "python", WORKER, tool, folder / place)
        if done.returncode:
            fine = False
            show(f"{tool} {place}", seconds, f"FAILED: {done.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        equal = (found["rows"], found["digest"]) == expected
        fine &= equal
        show(f"{tool} {place}", seconds, f"{found['rows']} rows, {'equal' if equal else 'DIFFERENT'}")
    return fine


def read_with_r(folder: Path, expected: tuple[int, str]) -> bool:
    """Read the exports with the packages of R that are installed; return whether all of them gave back the archive."""
    if not shutil.which("Rscript"):
        print("R: not run, because Rscript is not installed")
        return True
    fine = True
    for (package, place), read_ in _R_READS.items():
        _, installed_ = timed("Rscript", "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))")
        if installed_.returncode:
            print(f"R {package}: not run, because this package of R is not installed")
            continue
        seconds, done = timed("Rscript", "--encoding=UTF-8", "-e", _R_PRINT.format(read=read_), folder / place)
        rows = [row.split(_R_FIELD) for row in done.stdout.split(_R_ROW)] if done.returncode == 0 else []
        equal = bool(rows) and digest((int(key), title, text) for key, title, text in rows) == expected
        fine &= equal
        result = f"{len(rows)} rows, {'equal' if equal else 'DIFFERENT'}"
        show(f"R {package} {place}", seconds, f"FAILED: {done.stderr[-200:]}" if done.returncode else result)
    return fine


def validate(programs: Path, folder: Path, schema: Path | None) -> bool:
    """Validate the packages and the TEI corpus; return whether all are valid."""
    fine = True
    for format_ in FORMATS:
        seconds, done = timed(programs / "frictionless", "validate", folder / format_ / "datapackage.json", "--json")
        valid = json.loads(done.stdout)["valid"]
        fine &= valid
        show(f"frictionless validate {format_}", seconds, "valid" if valid else f"INVALID: {done.stdout[-400:]}")
    if schema is not None:
        code = (
            "import sys; from lxml import etree; schema = etree.RelaxNG(etree.parse(sys.argv[1]));"
            "print(sum(not schema.validate(etree.parse(file)) for file in sys.argv[2:]))"
        )
        texts = sorted((folder / "tei" / "data").glob("*.xml"))[:200]
        seconds, done = timed(programs / "python", "-c", code, schema, folder / "corpus.xml", *texts)
        fine &= done.stdout.strip() == "0"
        show(
            f"{schema.name}: a corpus and {len(texts)} texts",
            seconds,
            f"{done.stdout.strip()} invalid {done.stderr[-200:]}",
        )
    return fine


def main() -> int:
    """Print the table; return 1 if a tool fails or gives back something else."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--into", type=Path, default=ROOT / ".venv-readers")
    parser.add_argument("--tei", type=Path)
    options = parser.parse_args()
    programs = installed(options.into)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_archive(folder / "archive") as archive:
            fill(archive, articles(options.articles))
        timed(sys.executable, "-m", "crawler", "--archive", folder / "archive", "import", *SEEDS.glob("*.txt"))
        with open_archive(folder / "archive", read_only=True) as archive:
            expected = digest((one.id, one.article.title, one.reading.clean) for one in archive.export())
        fine = export(folder, "--format", "parquet", "--out", str(folder / "plain"))
        fine &= export(folder, "--format", "csv", "--bom", "--out", str(folder / "excel.csv"))
        fine &= export(folder, "--format", "tei", "--out", str(folder / "corpus.xml"))
        for format_ in FORMATS:
            fine &= export(folder, "--format", format_, "--card", "--out", str(folder / format_))
        fine &= read(programs, folder, expected)
        fine &= read_with_r(folder, expected)
        fine &= validate(programs, folder, options.tei)
    return int(not fine)


if __name__ == "__main__":
    raise SystemExit(main())
