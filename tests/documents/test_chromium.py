"""What Chromium shows of the HTML documents: nothing is fetched, nothing is wrong, nothing is wider than its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import CHROMIUM, Browser
from documents import MODELS

import symbackprop as sbp

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

DERIVATIONS = Path(__file__).parents[2] / "derivations"
NAMES = ["softmax", "six layers", *sorted(path.parent.name for path in DERIVATIONS.glob("*/network.toml"))]
PLACE = "div.lines, p, li, th, td, figcaption"
"""What a formula must not be wider than; a table that is wider than the page is moved in its frame."""
TOO_WIDE = f"""
(() => {{
  const page = document.scrollingElement, found = [];
  if (page.scrollWidth > page.clientWidth) found.push(`the page is ${{page.scrollWidth}} wide`);
  for (const frame of document.querySelectorAll(".lines, figure > div"))
    if (frame.scrollWidth > frame.clientWidth) found.push(`${{frame.className}}: ${{frame.textContent}}`);
  for (const frame of document.querySelectorAll(".lines, .table, figure > div, svg"))
    if (frame.getBoundingClientRect().right > page.clientWidth + 0.5) found.push(`outside: ${{frame.className}}`);
  for (const math of document.querySelectorAll("math")) {{
    const own = math.getBoundingClientRect(), around = math.closest("{PLACE}").getBoundingClientRect();
    if (own.left < around.left - 1 || own.right > around.right + 1) found.push(math.getAttribute("alttext"));
  }}
  return found;
}})()
"""
UNALIGNED = """
[...document.querySelectorAll(".lines:not(.flows)")].filter(lines => {
  const places = [...lines.querySelectorAll(".line:not(.shrinks) > .right")].map(e => e.getBoundingClientRect().left);
  return places.some(place => Math.abs(place - places[0]) > 1);
}).length
"""
BROKEN = """
[...document.querySelectorAll(".term")].filter(
  term => getComputedStyle(term).whiteSpace == "nowrap" && term.getClientRects().length > 1
).length
"""
HEIGHTS = """
[...document.querySelectorAll("math")].filter(math => {
  const box = math.getBoundingClientRect();
  return math.childElementCount && !(box.width > 0 && box.height > 0);
}).map(math => math.getAttribute("alttext"))
"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.fixture(scope="module", params=NAMES)
def page(request, tmp_path_factory):
    name = request.param
    model = MODELS[name] if name in MODELS else sbp.Network.load(DERIVATIONS / name / "network.toml")
    return model.derive().save(tmp_path_factory.mktemp("pages") / "derivation.html")


@pytest.mark.parametrize("width", [500, 1400])
def test_the_page_is_right(page, width, browser):
    browser.open(page, width)
    fetched = [sent["request"]["url"] for sent in browser.of("Network.requestWillBeSent")]
    assert [url for url in fetched if not url.startswith("data:")] == [page.as_uri()]
    said = browser.of("Runtime.consoleAPICalled") + browser.of("Runtime.exceptionThrown")
    assert [*said, *browser.of("Log.entryAdded")] == []
    assert browser.evaluate("document.compatMode") == "CSS1Compat"
    assert browser.evaluate("[...document.fonts].map(font => font.status)") == ["loaded"]
    assert browser.evaluate("document.querySelectorAll('math').length") > 50
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate(TOO_WIDE) == []
    assert browser.evaluate(UNALIGNED) == 0
    assert browser.evaluate(BROKEN) == 0
    assert browser.evaluate(HEIGHTS) == []


def test_dark_and_light_and_print(browser, tmp_path):
    page = MODELS["softmax"].derive().save(tmp_path / "derivation.html")
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    browser.open(page)
    light = browser.evaluate(colours)
    browser.open(page, dark=True)
    dark = browser.evaluate(colours)
    assert brightness(light[0]) > 200 > 60 > brightness(light[1])
    assert brightness(dark[1]) > 200 > 60 > brightness(dark[0])
    # On paper, too, where the window is dark.
    browser.ask(
        "Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}]
    )
    assert browser.evaluate(colours) == light
    browser.ask("Emulation.setEmulatedMedia", media="", features=[])
    assert browser.pdf().startswith(b"%PDF")


def brightness(colour):
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return (red + green + blue) / 3


@pytest.mark.parametrize(
    ("markup", "noticed"),
    [
        ('<div style="width: 2000px">x</div>', "the page is 2000 wide"),
        ('<p style="width: 20px; overflow: hidden"><math alttext="wide"><mn>1234567890</mn></math></p>', "wide"),
    ],
)
def test_what_is_too_wide_is_noticed(browser, tmp_path, markup, noticed):
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><body style='margin: 0'>{markup}")
    browser.open(page, 500)
    assert browser.evaluate(TOO_WIDE) == [noticed]


def test_what_is_fetched_is_noticed(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html><img src='missing.png'><script>console.error('wrong')</script>")
    browser.open(page)
    assert len(browser.of("Network.requestWillBeSent")) == 2
    assert browser.of("Runtime.consoleAPICalled")
