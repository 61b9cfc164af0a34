"""French number words and their values.

Boundary: constants.
"""

from __future__ import annotations

#: Values of number words. `un` and `une` are articles far more often than numbers.
NUMBER_WORDS: dict[str, str] = {
    word: str(value)
    for value, word in (
        *enumerate(
            "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize".split(), start=2
        ),
        (20, "vingt"), (30, "trente"), (40, "quarante"), (50, "cinquante"), (60, "soixante"), (100, "cent"),
        (100, "cents"), (1000, "mille"),
    )
} | {
    word: word.removesuffix("s")
    for word in (
        "million millions milliard milliards dizaine dizaines douzaine douzaines quinzaine vingtaine vingtaines trentaine"
        " quarantaine cinquantaine soixantaine centaine centaines millier milliers moitié tiers quart quarts double triple"
    ).split()
}  # fmt: skip
