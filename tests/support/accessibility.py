"""What axe finds wrong on a page."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
# What fades is judged when it has faded: half transparent, it has too little contrast. What turns for ever is not waited for.
_RUN = """async (only) => {
  const moving = document.getAnimations().filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
  await Promise.allSettled(moving.map((each) => each.finished))
  const { violations } = await axe.run(document, { resultTypes: ['violations'], ...(only && { runOnly: only }) })
  const where = ({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`
  return violations.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(where)].join(' '))
}"""


def violations(page: Page, only: list[str] | None = None) -> list[str]:
    """Return the rules that the page breaks as it stands, each with where; of all rules, or `only` of these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_RUN, only)
    return found
