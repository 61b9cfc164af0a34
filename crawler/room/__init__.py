"""The pages of `vna browse`: a reading room for the archive, in French and English, served by Datasette.

`requests` has the values of a request and a response, `room` opens the archive and renders pages, `pages` has one module
for each page, and `plugin` connects them with Datasette. `language`, `marks` and `charts` turn values into what is shown.

Boundary: only reads the archive. Every text of the archive is escaped by the templates; no page requests another host.
"""
