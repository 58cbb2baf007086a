import uuid

import pytest
from darkroom.errors import InvalidArgumentError
from darkroom.job_ids import checked, made_at, new_job_id


def test_new_job_id_is_a_uuid_of_version_7_that_carries_its_time() -> None:
    made = uuid.UUID(new_job_id(1_700_000_000.123))

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made_at(str(made)) == 1_700_000_000.123


def test_new_job_ids_sort_by_time_and_differ() -> None:
    ids = [new_job_id(1_700_000_000 + second) for second in range(50)]

    assert ids == sorted(ids)
    assert new_job_id(1.0) != new_job_id(1.0)


@pytest.mark.parametrize("job_id", ["holiday-1", "a5c5c832-2fa9-4099-8f78-f0c2eff51803", ""])
def test_made_at_of_another_id_is_unknown(job_id: str) -> None:
    assert made_at(job_id) is None


@pytest.mark.parametrize("job_id", ["", "../uploads", "a/b", "a b", "x" * 65, "é", "id\n"])
def test_checked_with_what_is_no_id_raises(job_id: str) -> None:
    with pytest.raises(InvalidArgumentError):
        checked(job_id)
