"""A short fuzz run of the readers of all formats: no unexpected exception, and no input takes long."""

from __future__ import annotations

from fuzz.readers import readers, run


def test_the_readers_of_all_formats_accept_or_refuse_mutated_examples(tmp_path, capsys):
    for name, reader in readers(tmp_path).items():
        result = run(name, reader, seed=1, inputs=60)
        assert result.failures == 0, capsys.readouterr().err[-2000:]
