"""WARC and ARC records written byte by byte, as other programs write them, with all their faults."""

from __future__ import annotations

import gzip

SITE = "https://fr.vietnamplus.vn"
WHEN = "2020-01-02T03:04:05Z"


def address(post_id: int) -> str:
    """Return the address of an article."""
    return f"{SITE}/titre-post{post_id}.vnp"


def page(post_id: int = 8) -> bytes:
    """Return a small article page."""
    title = f"Accord numéro {post_id} entre Hanoï et Paris"
    return f"""<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{title} | Vietnam+ (VietnamPlus)</title>
<link rel="canonical" href="{address(post_id)}"><meta property="og:type" content="article">
<meta property="og:title" content="{title}">
<meta property="article:published_time" content="2019-03-05T08:30:00+07:00"></head>
<body><h1 class="article__title cms-title">{title}</h1>
<div class="article__body cms-body zce-content-body"><p>Hanoï (VNA) - Le texte {post_id * 7919} a été signé le {post_id}.</p>
<p>Il prévoit {post_id * 31} mesures pour {post_id * 17} provinces. -VNA</p></div></body></html>""".encode()


def http(body: bytes, *headers: str, status: bytes = b"HTTP/1.1 200 OK", eol: bytes = b"\r\n") -> bytes:
    """Return an HTTP response; without `headers`, it has a Content-Type only."""
    lines = [h.encode("latin-1") for h in ("Content-Type: text/html; charset=utf-8", *headers)]
    return eol.join([status, *lines]) + eol * 2 + body


def warc(
    block: bytes | None = None,
    post_id: int = 8,
    *extra: str,
    url: str | None = None,
    date: str | None = WHEN,
    kind: str = "response",
    version: str = "WARC/1.0",
    length: object = None,
    eol: str = "\r\n",
) -> bytes:
    """Return one WARC record, uncompressed."""
    block = http(page(post_id)) if block is None else block
    lines = [
        version,
        f"WARC-Type: {kind}",
        f"WARC-Target-URI: {address(post_id) if url is None else url}",
        *([] if date is None else [f"WARC-Date: {date}"]),
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{post_id:012}>",
        f"Content-Length: {len(block) if length is None else length}",
        *extra,
    ]
    return (eol.join(lines) + eol * 2).encode() + block + b"\r\n\r\n"


def arc(post_id: int = 8, date: str = "20200102030405", block: bytes | None = None) -> bytes:
    """Return one ARC record, uncompressed."""
    block = http(page(post_id)) if block is None else block
    return f"{address(post_id)} 1.2.3.4 {date} text/html {len(block)}\n".encode() + block + b"\n"


def arc_head() -> bytes:
    """Return the record with which an ARC file begins."""
    content = b"1 0 Archive\nURL IP-address Archive-date Content-type Archive-length\n\n"
    return b"filedesc://a.arc 0.0.0.0 20200102030405 text/plain %d\n%b\n" % (len(content) - 1, content[:-1])


def chunked(body: bytes, size: int = 100, end: bytes = b"0\r\n\r\n") -> bytes:
    """Return a body in the chunked transfer coding."""
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + end


def members(*records: bytes) -> bytes:
    """Return records as a file with one gzip member for each."""
    return b"".join(gzip.compress(record, mtime=0) for record in records)
