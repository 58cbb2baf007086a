"""The laptop's front sends each request where the table says."""

from http import HTTPStatus

import pytest

from laptop import front_routes
from laptop.front_routes import Refused, To
from stacks.console_site import Route
from tests import console_routes


@pytest.mark.parametrize(("method", "path", "route", "behind"), console_routes.PASSED_ON)
def test_find_below_a_route_is_passed_on(method: str, path: str, route: str, behind: str) -> None:
    assert front_routes.find(method, path, console_routes.FILES) == To(Route(route), behind)


@pytest.mark.parametrize(("method", "path", "file"), console_routes.SERVED)
def test_find_file_is_served(method: str, path: str, file: str) -> None:
    assert front_routes.find(method, path, console_routes.FILES) == To(None, file)


@pytest.mark.parametrize(("method", "path"), console_routes.MISSING)
def test_find_anything_else_is_missing(method: str, path: str) -> None:
    assert front_routes.find(method, path, console_routes.FILES) == Refused(HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize(("method", "path", "allowed"), console_routes.REFUSED)
def test_find_by_another_method_is_refused(method: str, path: str, allowed: str) -> None:
    found = front_routes.find(method, path, console_routes.FILES)

    assert found == Refused(HTTPStatus.METHOD_NOT_ALLOWED, tuple(allowed.split(", ")))
