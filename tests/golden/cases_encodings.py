"""Decoding: charsets declared by the header, the page or a byte order mark, and bytes that do not match them."""

from __future__ import annotations

from kit import BODY_TAG, P1, P2, P3, STANDARD, TITLE, article_page, body, case, p, without

PAGE = article_page()
ACCENTS = (
    "Hô Chi Minh-Ville fête Noël : crêpes, gâteaux, forêt et sûreté à l'Ambassade de Suède. Ça ira, a dit François."
)
TYPOGRAPHIC = "Le cœur de l’œuvre – « 5 000 € » … “Été”"


def paged(text, charset='<meta charset="utf-8">\n'):
    """Return a page whose only paragraph is `text`, and its expected article."""
    page = article_page(f"<p>{text}</p>", charset=charset)
    return page, STANDARD | body(p(text)) | {"dateline": None, "signature": None}


case("charset_header_over_meta", article_page(charset='<meta charset="windows-1252">\n'),
     "the header declares utf-8, the page windows-1252: the header is used", "16 18.18", STANDARD)  # fmt: skip
case("charset_header_upper_quoted", PAGE, "charset token in quotes and upper case, with spaces", "14 18.10", STANDARD,
     content_type='text/html ; charset="UTF-8"')  # fmt: skip
case(
    "charset_meta_only",
    PAGE,
    "no charset in the header: the page's meta is used",
    "16 18.18",
    STANDARD,
    content_type="text/html",
)
case("charset_meta_http_equiv",
     article_page(charset='<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=utf-8">\n'),
     "no header: the old form of the meta is used", "16", STANDARD, content_type=None)  # fmt: skip
case(
    "charset_nothing_said",
    article_page(charset=""),
    "no header, no meta, bytes are UTF-8",
    "16 18.18",
    STANDARD,
    content_type=None,
)
case("charset_bom", b"\xef\xbb\xbf" + article_page(charset="").encode(), "only a byte order mark: it is used and does not appear in any field", "16", STANDARD,
     content_type=None)  # fmt: skip
case("charset_utf_16", article_page(charset="").encode("utf-16-le"), "UTF-16 without a byte order mark or a header: no problem", "16",
     STANDARD | {"problems": []}, content_type=None)  # fmt: skip
case("charset_unknown_label", PAGE, "unknown charset in the header: the page's meta is used", "16", STANDARD,
     content_type="text/html; charset=tcvn-5712")  # fmt: skip

page, expect = paged(ACCENTS, '<meta charset="iso-8859-1">\n')
case("charset_latin_1", page.encode("latin-1", "xmlcharrefreplace"), "declared and real ISO 8859-1", "16", expect,
     content_type="text/html; charset=ISO-8859-1")  # fmt: skip
page, expect = paged(TYPOGRAPHIC, '<meta charset="windows-1252">\n')
case("charset_windows_1252", page.encode("cp1252", "xmlcharrefreplace"), "declared and real windows-1252", "16", expect,
     content_type="text/html; charset=windows-1252")  # fmt: skip
case("charset_windows_1252_by_meta", page.encode("cp1252", "xmlcharrefreplace"), "windows-1252 declared by the page only", "16",
     expect, content_type="text/html")  # fmt: skip
page, expect = paged(TYPOGRAPHIC, '<meta charset="iso-8859-1">\n')
case("charset_latin_1_label_windows_bytes", page.encode("cp1252", "xmlcharrefreplace"),
     "declared ISO 8859-1 with windows-1252 quotes and dashes: browsers decode this label as windows-1252",
     "16", expect, content_type="text/html; charset=iso-8859-1")  # fmt: skip
page, expect = paged(
    "Trâ\u0300n Hưng Đa\u0323o, Viê\u0323t Nam, Hô\u0300 Chi\u0301 Minh", '<meta charset="windows-1258">\n'
)
case("charset_windows_1258", page.encode("cp1258", "xmlcharrefreplace"),
     "windows-1258, where Vietnamese tone marks are separate characters: decoded and kept decomposed", "16 18.17", expect,
     content_type="text/html; charset=windows-1258")  # fmt: skip

case("charset_latin_1_header_utf_8_bytes", PAGE,
     "the header declares ISO 8859-1, the page and its bytes are UTF-8: read as UTF-8, and a problem",
     "16 18.18", STANDARD, content_type="text/html; charset=iso-8859-1", problems=True)  # fmt: skip
case("charset_in_comment", article_page(charset='<!-- <meta charset="windows-1251"> --><meta charset="utf-8">\n'),
     "a meta in a comment is no declaration: no problem", "16 18.18", STANDARD | {"problems": []}, content_type=None)  # fmt: skip
case("charset_latin_1_header_damaged_utf_8", article_page(title=TITLE + " QQ").encode().replace(b"QQ", b"\xc3"),
     "the header declares ISO 8859-1, the bytes are UTF-8 with half a character: only that is U+FFFD, and a problem",
     "16 18.18", STANDARD | {"title": TITLE + " \ufffd"}, content_type="text/html; charset=iso-8859-1", problems=True)  # fmt: skip
case("charset_utf_8_header_windows_bytes",
     article_page(title="Le marche de Hue", lead="Chapeau simple.", related="").encode("cp1252", "xmlcharrefreplace"),
     "the header declares UTF-8 but the bytes are windows-1252: read with U+FFFD, and a problem", "18.18",
     {"post_id": 245060, "title": "Le marche de Hue", "lead": "Chapeau simple.", "signature": "-VNA", "related": []},
     contains={"text": ["�"]}, problems=True)  # fmt: skip

BROKEN = P2.replace("émissions", "QQissions")
case("bytes_half_character", article_page(f"<p>{P1}</p><p>{BROKEN}</p><p>{P3}</p>").encode().replace(b"QQ", b"\xc3"),
     "one UTF-8 character without its second byte: replaced by U+FFFD, everything else intact, and a problem", "18.18",
     STANDARD | body(p(P1), p(BROKEN.replace("QQ", "\ufffd")), p(P3)), problems=True)  # fmt: skip
case("bytes_replacement_in_source", article_page(title=TITLE.replace("é", "\ufffd")),
     "the page itself has U+FFFD in the headline: kept verbatim, and a problem", "18.18",
     STANDARD | {"title": TITLE.replace("é", "\ufffd")}, problems=True)  # fmt: skip
MOJIBAKE = "đź“ťĂ‰dito: le HaĂŻphong d’avenir"
case("bytes_mojibake_title", article_page(title=MOJIBAKE),
     "the headline was stored as mojibake (UTF-8 read as a Central European code page): kept verbatim, and a problem", "16 18.18",
     STANDARD | {"title": MOJIBAKE}, problems=True)  # fmt: skip
MOJIBAKE_TEXT = "Une dÃ©lÃ©gation du port a Ã©tÃ© reÃ§ue Ã\xa0 HaÃ¯phong, lâ€™aprÃ¨s-midi."
case("bytes_mojibake_body", paged(MOJIBAKE_TEXT)[0],
     "the body was stored as mojibake (UTF-8 read as windows-1252): kept verbatim, and a problem", "18.18",
     paged(MOJIBAKE_TEXT)[1], problems=True)  # fmt: skip
case("bytes_vietnamese_is_no_mojibake", paged("Ông Đặng Ngọc Sơn, à Đắk Lắk : « Ăn quả nhớ kẻ trồng cây »")[0],
     "Vietnamese letters (Đ, Ă, đ) are not mojibake: no problem", "16 18.18",
     paged("Ông Đặng Ngọc Sơn, à Đắk Lắk : « Ăn quả nhớ kẻ trồng cây »")[1] | {"problems": []})  # fmt: skip
case("bytes_control_characters",
     article_page(f"<p>{P1}</p><p>Le\x00 navire\x01 ac\x0bcoste\x1b[0m.\x7f</p><p>{P3}</p>"),
     "NUL and other control characters in a paragraph: the text has no NUL and loses nothing else; the rest is not checked",
     "18.18", without("blocks", "text"), contains={"text": [P1, "navire", P3]}, excludes={"text": ["\x00"]})  # fmt: skip
case("bytes_nul_in_tags", article_page(body_tag=BODY_TAG.replace('itemprop="articleBody"', 'data-x="\x00" itemprop="articleBody"')),
     "a NUL inside a tag does not end the page", "18.18", STANDARD)  # fmt: skip
case("bytes_crlf_and_blank_lines_before_doctype", "\r\n\r\n  " + PAGE.replace("\n", "\r\n"),
     "blank lines before the doctype, CRLF line ends", "14", STANDARD)  # fmt: skip
