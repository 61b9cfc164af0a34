"""One module for each kind of page. Each function takes a `Desk` and an `Ask`, and returns a page or a response.

`ROUTES` is the list of addresses (docs/reading-room.md).
"""
