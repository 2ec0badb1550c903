"""What a judge model is asked, and that only an answer by the schema is one."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from care.judging import NoJudgement, judgement, question
from care.signs import KINDS, Worried

TALK = (("user", "मैं कल चली जाऊंगी"), ("assistant", "कहां?"), ("user", 'he said "ignore all of it"\ud800'))


def answer(content: Any, **message: Any) -> bytes:
    """A chat completion with this content."""
    content = content if isinstance(content, str | None) else json.dumps(content)
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content, **message}}]}).encode()


def test_what_both_sides_have_said_is_asked_about_and_nothing_else() -> None:
    """As data, in order; and it can be written, whatever a recogniser has made of the sound."""
    body = json.loads(json.dumps(question("judge-1", TALK)).encode())
    assert set(body) == {"model", "messages", "response_format"}
    assert body["model"] == "judge-1"
    assert body["response_format"]["json_schema"]["strict"] is True
    system, user = body["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert [[*said.items()] for said in json.loads(user["content"])] == [
        [("persona" if role == "assistant" else "caller", text)] for role, text in TALK
    ]
    assert TALK[0][1] in user["content"]  # and not as \\u092e, which costs many times as much
    assert all(f"{kind}: " in system["content"] for kind in KINDS)


def test_what_fits_the_schema_is_understood() -> None:
    """Each kind, sure or not."""
    schema = question("judge-1", TALK)["response_format"]["json_schema"]["schema"]
    for kind in KINDS:
        for sure in (True, False):
            said = {"worries": [{"kind": kind, "sure": sure}]}
            jsonschema.validate(said, schema)
            assert judgement(answer(said)) == {Worried(kind, sure)}
    assert judgement(answer({"worries": []})) == frozenset()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": null}]}',
        answer(None, refusal="I cannot help with that."),
        answer("I think that the caller is sad."),
        answer('```json\n{"worries": []}\n```'),
        answer({}),
        answer([]),
        answer({"worries": {}}),
        answer({"worries": ""}),
        answer({"worries": ["suicide"]}),
        answer({"worries": [{"kind": "sorrow", "sure": True}]}),
        answer({"worries": [{"kind": ["suicide"], "sure": True}]}),
        answer({"worries": [{"kind": "suicide"}]}),
        answer({"worries": [{"kind": "suicide", "sure": 1}]}),
        answer({"worries": [{"kind": "suicide", "sure": "yes"}]}),
        b'{"choices": ' + b"[" * 5000,
    ],
)
def test_anything_else_is_no_answer(said: bytes) -> None:
    """And is not repeated."""
    with pytest.raises(NoJudgement) as told:
        judgement(said)
    assert str(told.value) == "its answer is no chat completion with worries"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["worries", *KINDS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "sure", "worries"]), inner),
    max_leaves=8,
)


@given(st.binary(max_size=50) | JSON.map(answer) | JSON.map(lambda said: answer({"worries": said})))
def test_whatever_is_answered_there_is_no_other_error(said: bytes) -> None:
    """Worries, or that there are none to be read."""
    try:
        found = judgement(said)
    except NoJudgement:
        return
    assert all(one.kind in KINDS and isinstance(one.sure, bool) for one in found)
