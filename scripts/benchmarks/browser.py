"""The library page in a real browser: until its first page of thumbnails is painted, and while it is scrolled."""

from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Page

from agent.interfaces.web.client import Client
from scripts.benchmarks.rows import Row, median, worst
from scripts.page_conditions import wait_for_condition
from scripts.screens import browser
from scripts.signing_in import sign_in

VISITS = 9
FIRST_PAGE_MS, FRAME_MS = 500, 50
LIMIT_MS = 30_000
SIZE = {"width": 1280, "height": 800}
# A page's work just after loading belongs neither to scrolling nor to the next visit; a new window has its own start-up work.
SETTLE_MS = 1_500
FRAMES = 240  # of each way of scrolling

# Every photo in view has its decoded thumbnail, and a frame with them was drawn. Then `painted` has the ms since the navigation began.
PROBE = """(() => {
  const inView = (node) => {
    const box = node.getBoundingClientRect()
    return box.bottom > 0 && box.top < innerHeight && box.width > 0
  }
  const look = () => {
    const tiles = [...document.querySelectorAll('[role=option]')].filter(inView)
    const pictures = tiles.map((tile) => tile.querySelector('img'))
    const there = tiles.length > 0 && pictures.every((picture) => picture?.complete && picture.naturalWidth > 0)
    if (!there) return requestAnimationFrame(look)
    Promise.all(pictures.map((picture) => picture.decode()))
      .then(() => requestAnimationFrame(() => requestAnimationFrame(() => { window.painted = performance.now() })))
      .catch(() => requestAnimationFrame(look))
  }
  requestAnimationFrame(look)
})()"""

# Milliseconds between frames: slow scrolling, fast scrolling, dragging to random places, and back; each with a pause for loading pictures.
SCROLL = """async (frames) => {
  let box = document.querySelector('[role=option]').parentElement
  while (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === 'visible') box = box.parentElement
  const took = []
  let last
  const frame = () => new Promise((done) => requestAnimationFrame((now) => { if (last) took.push(now - last); last = now; done() }))
  const ways = [
    () => { box.scrollTop += 12 },
    () => { box.scrollTop += 40 },
    () => { box.scrollTop += 400 },
    (n) => { if (n % 12 === 0) box.scrollTop = (((n / 12) * 7919) % 997) / 997 * box.scrollHeight },
    () => { box.scrollTop -= 40 },
  ]
  await frame()
  for (const way of ways) for (let n = 0; n < frames + 30; n++) {
    if (n < frames) way(n)
    await frame()
  }
  return took
}"""


def rows(client: Client) -> Iterator[Row]:
    """Yield the rows. Each visit is the first of its browser profile, with an empty cache."""
    with browser() as page:
        chromium = page.context.browser
        assert chromium is not None
        visits = []
        for _ in range(VISITS):
            context, visit = _visited(chromium, client)
            visits.append(float(visit.evaluate("() => window.painted")))
            visit.wait_for_timeout(SETTLE_MS)
            context.close()
        yield median("library_first_page_ms", visits, FIRST_PAGE_MS)
        context, visit = _visited(chromium, client)
        visit.wait_for_timeout(SETTLE_MS)
        yield worst("library_worst_frame_ms", [float(each) for each in visit.evaluate(SCROLL, FRAMES)], FRAME_MS)
        context.close()


def _visited(chromium: Browser, client: Client) -> tuple[BrowserContext, Page]:
    """Return a signed-in page in an existing window, once its first photos are painted."""
    context = chromium.new_context(viewport=SIZE)  # type: ignore[arg-type]
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    sign_in(page, client)
    page.goto("about:blank")
    page.add_init_script(PROBE)
    page.wait_for_timeout(SETTLE_MS)
    page.goto(client.address)
    wait_for_condition(page, "() => window.painted")
    return context, page
