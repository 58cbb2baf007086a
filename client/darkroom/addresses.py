"""Which addresses a token or a password may be sent to: HTTPS ones, and this machine."""

import ipaddress

import httpx

from darkroom.errors import ProfileError


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(url: str, name: str) -> str:
    """Return the URL without a slash at its end. Raises ProfileError when secrets must not be sent there."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise ProfileError(f"{name} {url!r} is no URL: {error}.") from error
    if not parsed.host or parsed.scheme not in {"http", "https"}:
        raise ProfileError(f"{name} {url!r} is no URL; it begins with https://.")
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        raise ProfileError(f"{name} {url!r} must begin with https://: sign-ins are not sent over plain HTTP.")
    return str(parsed).rstrip("/")
