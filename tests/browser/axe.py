"""What axe-core has to say about a page."""

from typing import Any

from laptop.places import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Any) -> list[str]:
    """Judge a page as it stands."""
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE.read_text())
    run = "(rules) => axe.run(document, { runOnly: { type: 'tag', values: rules } })"
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for violation in page.evaluate(run, RULES)["violations"]
        for node in violation["nodes"]
    ]
