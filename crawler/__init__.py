"""An archive of record for the French-language news of the Vietnam News Agency."""
