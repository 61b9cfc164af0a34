"""`python -m tests.fuzz`: fuzz the readers of all formats."""

from tests.fuzz.readers import main

raise SystemExit(main())
