"""Put every common word into ten correct sentences and count the edits: `./run.sh bench words [-v] [--every N]`.

The words are the 40,000 most frequent ones of the lexicon and all its compounds, which look like two words but are one.
A word of the lexicon is never split, so the right number of edits is 0, apart from the repairs of the spaces that two
of the sentences lack on purpose. `--every N` takes only each N-th word. -v prints every edit.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import resources

from crawler import lexicon
from crawler.repair import repair

COUNT = 40_000
#: In each carrier, {0} is the word, {1} the word with a capital. The last two carriers lack spaces elsewhere.
CARRIERS = (
    "Le {0} a été cité par le ministre.",
    "{1} est le premier mot de cette phrase.",
    "Les experts ont parlé de {0}, puis de la récolte.",
    "Selon la presse, « {0} » figure dans le texte.",
    "Il a répété l'{0} et rappelé que d'{0} il n'était pas question.",
    "Le rapport cite {0} : la hausse atteint 15 %.",
    "Nguyen Van Nam, Tran Thi Lan et Jean Dupont {0} à Hanoi.",
    "En 2013, 25 {0} ont été recensés dans 3 provinces.",
    "La stratégiede défense, dit-il, ne {0} pas.",
    (
        "Le commerce entre lesdeux pays s'est développé, a dit {0} au cours de sa visite. La valeur desexportations a "
        "augmenté de 12 % et les entreprises vietnamiennes ontinvesti {0} dans le pays. Les deux parties ontconvenu "
        "de renforcer {0} pour l'avenir."
    ),
)
#: The edits that repair the spaces missing in a carrier.
_EXPECTED = {"stratégiede", "lesdeux", "desexportations", "ontinvesti", "ontconvenu"}


def common_words(every: int = 1) -> list[str]:
    """Return the words of the probe."""
    from wordfreq import get_frequency_dict  # slow, and optional

    listed = get_frequency_dict("fr", wordlist="large")
    common = [w for w in sorted(listed, key=lambda w: (-listed[w], w)) if w.isalpha() and w.islower()][:COUNT]
    compounds = resources.files("crawler.repair").joinpath("data", "compounds.txt").read_text(encoding="utf-8").split()
    return [*common, *compounds][::every]


def edits(word: str, carriers: Sequence[str] = CARRIERS) -> list[str]:
    """Return every edit that is not expected, of one word in all carriers, as text."""
    known = lexicon.load()
    found: list[str] = []
    for carrier in carriers:
        text = carrier.format(word, word[0].upper() + word[1:])
        found += [
            f"{edit.before!r} -> {edit.after!r} ({edit.rule}) in: {text}"
            for edit in repair(text, known).repairs
            if edit.before not in _EXPECTED
        ]
    return found


def main() -> int:
    """Print the number of sentences and edits; return 1 if there is an edit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("-v", action="store_true")
    arguments = parser.parse_args()
    words = common_words(arguments.every)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = [line for lines in pool.map(partial(edits), words, chunksize=200) for line in lines]
    print(f"{len(words)} words in {len(words) * len(CARRIERS)} sentences: {len(found)} edits")
    if arguments.v:
        print(*found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
