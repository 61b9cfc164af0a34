"""Anchors seals outside the archive: time stamps of an authority (RFC 3161), and a file that the user publishes.

A time stamp proves that a seal, and so every record before it, existed at that time. The replies are in the folder
`timestamps` of the archive, under the digests of the seals.

Boundary: sends the digest of a seal to the authority in `[seals]`, and nothing else. The package rfc3161-client is an
optional dependency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crawler import files, redact, visible
from crawler.clock import monotonic_seconds, to_text

if TYPE_CHECKING:
    from rfc3161_client import VerifierBuilder

TIME_STAMPS = "timestamps"
_REPLY = re.compile(r"([0-9a-f]{64})\.tsr")
_TIMEOUT = 20.0  # seconds for the connection and for each part of the reply
_DEADLINE = 60.0  # seconds for the whole reply
_MOST_BYTES = 1_000_000  # a reply has about 5 kB
_MOST_ROOTS = 10_000_000  # bytes; the certificates of all authorities have about 200 kB
_MOST_PUBLISHED = 100_000_000  # bytes; 600,000 seals
_NOT_INSTALLED = "rfc3161-client is not installed: pip install 'vna-archive[timestamps]'"


class Anchored(Protocol):
    """What is anchored of a seal: `digest` is the SHA-256 of `head`."""

    @property
    def at(self) -> str:
        """The time of the seal."""

    @property
    def root(self) -> str:
        """The root of the tree; empty in seals of version 2026.11.29."""

    @property
    def digest(self) -> str:
        """The digest of the seal."""

    @property
    def head(self) -> bytes:
        """The bytes of which the digest is computed."""


@dataclass
class StampReport:
    """The checked time stamps: the newest of their times with the digest of its seal, and what is wrong, by file.

    `unchecked` is the number of time stamps that could not be checked, because the library or the certificates are missing.
    """

    newest: tuple[str, str] | None = None
    count: int = 0
    unchecked: int = 0
    wrong: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Anchors:
    """The anchors of one archive: its folder, and the settings in `[seals]`."""

    archive: Path
    url: str = ""
    roots: Path | None = None
    publish: Path | None = None

    def update(self, seals: Sequence[Anchored]) -> list[str]:
        """Request a time stamp for the newest seal and publish all new ones; return what went wrong, as messages for people.

        A seal covers all seals before it, so a time stamp that failed is not missed when the next one succeeds.
        """
        problems: list[str] = []
        sealed = [seal for seal in seals if seal.root]
        if sealed and self.url and not self._file(sealed[-1].digest).exists():
            problems += self._stamp(sealed[-1])
        if sealed and self.publish is not None:
            problems += _published(self.publish, sealed)
        return problems

    def replies(self) -> dict[str, bytes]:
        """Return the stored replies by the digest of their seal."""
        found = sorted((self.archive / TIME_STAMPS).glob("*.tsr"))
        return {match[1]: files.read(path) for path in found if (match := _REPLY.fullmatch(path.name))}

    def check(self, seals: Sequence[Anchored]) -> StampReport:
        """Check each stored reply: its signature, and that it is for the seal in its name."""
        known = {seal.digest: seal for seal in seals}
        report = StampReport()
        wrong = []
        for digest, reply in self.replies().items():
            name = f"{TIME_STAMPS}/{digest}.tsr"
            if digest not in known:
                wrong.append((name, "it is for a seal that the archive does not have"))
            elif find_spec("rfc3161_client") is None or self.roots is None:
                report.unchecked += 1
            else:
                try:
                    at = _verified(reply, known[digest].head, self.roots)
                except _errors() as error:
                    wrong.append((name, f"it does not prove the seal: {_shown(error)}"))
                else:
                    report.count += 1
                    report.newest = max(report.newest or (at, digest), (at, digest))
        report.wrong = tuple(wrong)
        return report

    def _file(self, digest: str) -> Path:
        return self.archive / TIME_STAMPS / f"{digest}.tsr"

    def _stamp(self, seal: Anchored) -> Iterator[str]:
        """Request a time stamp and store the reply if it is right; yield a message if not."""
        if find_spec("rfc3161_client") is None:
            yield f"no time stamp: {_NOT_INSTALLED}"
            return
        if self.roots is None:
            yield "no time stamp: [seals] timestamp_roots names no certificates of the authority"
            return
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder  # noqa: PLC0415 - an extra

        request = TimestampRequestBuilder().data(seal.head).hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            reply = _posted(self.url, request.as_bytes())
            _verified(reply, seal.head, self.roots, VerifierBuilder.from_request(request))
            files.make_folder(self.archive / TIME_STAMPS)
            files.replace(self._file(seal.digest), reply)
        except _errors() as error:
            yield f"no time stamp from {redact.redacted(self.url)}: {_shown(error)}; it is requested again for the next seal"


def _posted(url: str, query: bytes) -> bytes:
    import urllib.error  # noqa: PLC0415 - slow to import, and every command imports this module
    import urllib.request  # noqa: PLC0415 - see above

    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    request = urllib.request.Request(url, query, headers)  # noqa: S310 - the configuration accepts only http and https
    end, parts, size = monotonic_seconds() + _DEADLINE, [], 0
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310 - see above
            while data := response.read1(1 << 16):
                parts.append(data)
                size += len(data)
                if size > _MOST_BYTES or monotonic_seconds() > end:
                    raise ValueError("the reply is too long or too slow")
    except urllib.error.HTTPError as error:
        error.close()  # the error is also the response, with an open connection
        raise
    return b"".join(parts)


def _verified(reply: bytes, head: bytes, roots: Path, builder: VerifierBuilder | None = None) -> str:
    """Return the time of a time stamp of `head`; `roots` has the trusted certificates."""
    from cryptography import x509  # noqa: PLC0415 - an extra
    from rfc3161_client import VerifierBuilder, decode_timestamp_response  # noqa: PLC0415 - an extra

    response = decode_timestamp_response(reply)
    builder = builder or VerifierBuilder()
    for certificate in dict.fromkeys(x509.load_pem_x509_certificates(files.read_named(roots, _MOST_ROOTS))):
        builder = builder.add_root_certificate(certificate)
    builder.build().verify_message(response, head)
    return to_text(response.tst_info.gen_time)


def _errors() -> tuple[type[Exception], ...]:
    from http.client import HTTPException  # noqa: PLC0415 - as in `_posted`

    from rfc3161_client import VerificationError  # noqa: PLC0415 - an extra

    return (OSError, HTTPException, ValueError, VerificationError)


def _shown(error: Exception) -> str:
    return visible.line(redact.redacted(str(error) or type(error).__name__), 200)


def _published(file: Path, seals: Sequence[Anchored]) -> Iterator[str]:
    """Append the seals that the file does not contain yet, one on each line: time, root and digest."""
    try:
        known = files.read(file, _MOST_PUBLISHED).decode("utf-8", "replace") if file.exists() else ""
        lines = [f"{seal.at} {seal.root} {seal.digest}\n" for seal in seals if seal.digest not in known]
        if lines:
            with files.open_to_append(file) as out:
                out.write("".join(["\n" * bool(known and not known.endswith("\n")), *lines]).encode())
    except OSError as error:
        yield f"[seals] publish: cannot write {file}: {error.strerror or error}"
