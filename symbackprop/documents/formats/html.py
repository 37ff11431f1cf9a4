"""The HTML emitter: one file that needs nothing else, with MathML and the font for it, and no script."""

from __future__ import annotations

from base64 import b64encode

from symbackprop.documents.formats.html_blocks import Blocks, escape
from symbackprop.documents.formats.html_contents import contents
from symbackprop.documents.formats.styles import data, style
from symbackprop.documents.tree import Document

__all__ = ["html"]

_PAGE = """<!DOCTYPE html>
<!-- The font in this file is a modified version of Latin Modern Math 1.959, copyright 2012-2014 by B. Jackowski,
P. Strzelczyk and P. Pianowski (on behalf of TeX users groups), under the GUST Font License: see
symbackprop/documents/formats/data/GUST-FONT-LICENSE.txt,
http://www.gust.org.pl/fonts/licenses/GUST-FONT-LICENSE.txt -->
<html lang="{language}">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
{author}<title>{title}</title>
<style>
@font-face {{
  font-family: "Mathematics of symbackprop";
  src: url("data:font/woff2;base64,{font}") format("woff2");
}}
{page}{formulas}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{byline}{contents}{body}
</main>
<footer>{made_by}</footer>
</body>
</html>
"""


def html(document: Document) -> str:
    """``document`` as a complete HTML file, which is well-formed XML too."""
    blocks = Blocks(document.blocks, document.captions)
    byline = ", ".join(filter(None, (document.author, document.date)))
    return _PAGE.format(
        language=escape(document.language),
        author=f'<meta name="author" content="{escape(document.author)}"/>\n' if document.author else "",
        title=escape(document.title),
        font=b64encode(data("mathematics.woff2")).decode("ascii"),
        page=style("page"),
        formulas=style("formulas"),
        byline=f'<p class="byline">{escape(byline)}</p>\n' if byline else "",
        contents=contents(document.captions.contents, blocks.headings, blocks.anchors),
        body="\n".join(blocks.sections()),
        made_by=escape(document.made_by),
    )
