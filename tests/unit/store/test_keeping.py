from hypothesis import given
from hypothesis import strategies as st

from wattwitness.store.keeping import digest, in_slices


@given(st.lists(st.integers(0, 50)), st.integers(1, 100))
def test_slices_are_everything_in_order_and_bounded(sizes: list[int], most: int):
    slices = list(in_slices(sizes, lambda size: size, most))
    assert [size for piece in slices for size in piece] == sizes
    assert all(piece and (sum(piece) <= most or len(piece) == 1) for piece in slices)


def test_a_digest_tells_whose_payload_it_is():
    about = [(b"p", "G", 1), (b"p", "G", None), (b"p", None, 1), (b"p", "None", 1), (b"q", "G", 1)]
    assert len({digest(*one) for one in about}) == len(about)
    assert digest(b"p", "G", 1) == digest(b"p", "G", 1)
