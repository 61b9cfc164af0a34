"""A searchable and citable archive of the French-language news of the Vietnam News Agency."""

__version__ = "2026.11.30"  # the date of the release; pyproject.toml and every WARC file take it from here
