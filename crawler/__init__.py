"""A searchable and citable archive of the French-language news of the Vietnam News Agency.

`from crawler import open_archive` reads an archive from a program: see docs/python.md.
"""

__version__ = "2026.11.30"  # the date of the release; pyproject.toml and every WARC file take it from here

TYPE_CHECKING = False  # as in `typing`, without the time to import it
if TYPE_CHECKING:
    from crawler.api import ArchivedArticle, ArchiveReader, ArticleSet, SearchHit, open_archive

__all__ = ["ArchiveReader", "ArchivedArticle", "ArticleSet", "SearchHit", "__version__", "open_archive"]


def __getattr__(name: str) -> object:
    """Return a name of the Python interface, which is imported at its first use: `import crawler` takes no time."""
    if name not in __all__:
        raise AttributeError(f"module 'crawler' has no attribute {name!r}")
    from crawler import api  # noqa: PLC0415 - see above

    return getattr(api, name)
