"""What no test in a browser may let happen: requests to elsewhere, breaches of the policy, errors said aloud."""

import re
from typing import Any

REPORT = "reportViolation"
LISTEN = f"""
document.addEventListener("securitypolicyviolation", (event) => {{
  window.{REPORT}(`${{event.effectiveDirective}}: ${{event.blockedURI}} (${{event.sourceFile}}:${{event.lineNumber}})`);
}});
"""
NETWORK = r"Failed to load resource: |WebSocket connection to '.*' failed: |ERR_INTERNET_DISCONNECTED"
"""Of tests about lost connections and refused calls: the browser tells of each, whatever the page makes of it."""
INSIDE = ("data:", "blob:", "about:")


class Guard:
    """Watches every page of every context that it is given."""

    def __init__(self, origin: str) -> None:
        self._origins = (f"{origin}/", f"{origin.replace('http', 'ws', 1)}/")
        self._allowed: list[str] = []
        self.found: list[str] = []

    def watch(self, context: Any) -> None:
        """Watch a browser context from now on."""
        context.on("request", lambda request: self._look_at("request", request.url))
        context.on("weberror", lambda error: self.found.append(f"uncaught: {error.error}"))
        context.on("console", self._hear)
        context.on("page", lambda page: page.on("websocket", lambda line: self._look_at("WebSocket", line.url)))
        context.expose_binding(REPORT, lambda _source, text: self.found.append(f"against the policy: {text}"))
        context.add_init_script(LISTEN)

    def allow(self, pattern: str) -> None:
        """Expect what matches: a test that provokes an error says so."""
        self._allowed.append(pattern)

    def take(self) -> list[str]:
        """Return what was found so far and was not expected, and forget it."""
        found, self.found = self.found, []
        return [what for what in found if not any(re.search(pattern, what) for pattern in self._allowed)]

    def _look_at(self, kind: str, url: str) -> None:
        if not url.startswith((*self._origins, *INSIDE)):
            self.found.append(f"{kind} to elsewhere: {url}")

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")
