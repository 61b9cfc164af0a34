"""Learns a layout from pages whose articles are known from elsewhere, and verifies it on others (docs/healing.md).

```
places     where each known field is on a page
induce     selectors that find these places on all pages; the most stable first (selectors)
noise      what is in the body but not the article
learn      all of them together: a layout
healing    learn from some pages, verify on the others; pages that contradict the rest are outvoted
```

Boundary: pure functions on trees and values; `pipeline.heal` collects the pages and adopts the layout.
"""
