"""Benchmarks: how fast, how small and how right the program is, as ratios to a peer or a bound in the same run.

`./run.sh bench` runs them (`benchmarks/__main__.py` has the list). To add one:

1. Write a module with `run(options) -> Result` (`benchmarks/report.py`), and `add_options(parser)` if it has options. A
   `Result` has a question, `Row`s (what was measured, with all its values), `Goal`s (figures with a limit) and notes.
2. Measure contenders in turns (`timing.interleaved`), and give a goal the ratio of each round (`timing.ratios`). Install
   other programs into environments of their own (`environments.python_with`).
3. End with `.explained(lambda: [profiles.of_call(...)])`: the profile is made only if a goal is missed. `of_module` profiles a
   command, `of_imports` its imports.
4. Write progress with `report.note`: stdout belongs to the result. The frame adds `--json` and `--record`.
5. Add the name to a list in `benchmarks/__main__.py`, and record the result: `./run.sh bench NAME --record` writes
   `benchmarks/results.json`, from which `docs/benchmarks.md` is made.

No benchmark asserts a time: a missed goal is a verdict, and the exit code 5.
"""
