"""The interface keeps to its own description, whatever it is asked."""

import pytest

pytest.importorskip("schemathesis", reason="pip install schemathesis")

from web.fuzz import fuzz, whole_house

pytestmark = pytest.mark.integration


def test_no_made_up_request_breaks_the_description() -> None:
    """Valid and invalid requests to every operation: no 5xx, no status, content type or body that is not described."""
    with whole_house() as served:
        found = fuzz(served.url, examples=2)
    assert found.failures == []
    assert {status for _, status in found.statuses} >= {200, 404, 422}
    assert len({operation for operation, _ in found.statuses}) >= 15
    assert found.requests > 40
