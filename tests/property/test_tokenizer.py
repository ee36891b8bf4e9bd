from hypothesis import given, settings
from hypothesis import strategies as st

from moebench.data.tokenizer import FIRST_TEXT, Tokenizer

TOKENIZER = Tokenizer.train(["the cat sat on the mat", "the <pad> and the <extra_id_0>"], 300)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.text() | st.sampled_from(["<pad>", "</s>", "<extra_id_0>", "\r\n\t"]), max_size=3)
)
def test_any_text_comes_back_and_is_never_special(pieces: list[str]) -> None:
    text = "".join(pieces)
    (ids,) = TOKENIZER.encode([text])
    assert TOKENIZER.decode(ids) == text
    assert all(FIRST_TEXT <= token < 300 for token in ids)
