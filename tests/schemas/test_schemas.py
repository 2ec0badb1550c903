"""The limit on the JSON parts of a frame."""

import orjson
import pytest

import schemas


@pytest.mark.parametrize("part", ["[", "{", ","])
def test_so_much_json_may_be_in_a_message(part: str) -> None:
    """Parts are counted by "[", "{" and ",", also within texts; with one more, the frame is not parsed."""
    most = schemas.MOST_PARTS - schemas.parts(orjson.dumps({"type": "text", "text": ""}))
    with pytest.raises(schemas.Refused, match="is too long"):
        schemas.parse_message(orjson.dumps({"type": "text", "text": part * most}), schemas.CALLER)
    with pytest.raises(schemas.Refused, match="too much JSON"):
        schemas.parse_message(orjson.dumps({"type": "text", "text": part * (most + 1)}), schemas.CALLER)
