"""UUIDs of decisions."""

import uuid

from oncue.core.ids import derived_uuid


def test_a_uuid_of_a_decision_is_always_the_same_and_looks_like_any() -> None:
    many = {derived_uuid(["step", number]) for number in range(200)}

    assert derived_uuid(["step", 7]) in many
    assert len(many) == 200
    assert {(uuid.UUID(text).version, uuid.UUID(text).variant) for text in many} == {
        (4, uuid.RFC_4122)
    }
