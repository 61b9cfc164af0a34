"""An archive of record for the French-language news of the Vietnam News Agency."""

__version__ = "0.1.0"
