"""The trace that a job goes by."""

import pytest

from lambdas.jobs.trace import own_trace, trace_id_of, trace_of

ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"Root={ROOT};Sampled=1", f"Root={ROOT};Sampled=1"),
        (f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1", f"Root={ROOT};Sampled=1"),
        (f"Self=1-00000000-000000000000000000000000;Root={ROOT}", f"Root={ROOT}"),
        (f"Root={ROOT};Sampled=0", f"Root={ROOT}"),
    ],
)
def test_trace_of_a_header_is_its_root_and_whether_it_is_recorded(header: str, trace: str) -> None:
    assert trace_of(header) == trace
    assert trace_id_of(trace) == ROOT


@pytest.mark.parametrize(
    "header",
    [None, "", "Root=", "Root=;Sampled=1", f"Root={ROOT}0", f"Root={ROOT.upper()}", f"Root={ROOT[:-1]}\n", "Parent=1"],
)
def test_trace_of_what_is_none_is_none(header: str | None) -> None:
    assert trace_of(header) is None


def test_own_trace_has_the_same_form_and_is_the_same_for_the_same_message() -> None:
    trace = own_trace("message-1", "2026-11-24T10:00:00.000Z")
    assert trace_of(trace) == trace
    assert trace == own_trace("message-1", "2026-11-24T10:00:00.000Z")
    assert trace != own_trace("message-2", "2026-11-24T10:00:00.000Z")
    assert trace_id_of(trace).split("-")[1] == f"{1_795_514_400:08x}"
