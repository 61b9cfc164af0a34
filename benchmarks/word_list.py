"""Make the files of the word list again from the package wordfreq: `python -m benchmarks.word_list`.

The words and their frequencies are those of its large French list; compare `crawler.lexicon` and NOTICE.
"""

from __future__ import annotations

from wordfreq import get_frequency_list

from crawler import lexicon, resources


def steps() -> dict[str, int]:
    """Return each word of the list with its frequency as a number of steps; a step is a hundredth of a power of ten."""
    buckets = get_frequency_list("fr", wordlist="large")
    return {word: number for number, words in enumerate(buckets) for word in words}


if __name__ == "__main__":
    found = steps()
    lexicon.write(found, resources.lexicon())
    print(f"{len(found)} words written to {resources.lexicon()}")
