import pytest

from wattwitness.domain.errors import SetupError
from wattwitness.runtime.role import only_one


def test_a_role_has_one_holder_at_a_time(tmp_path):
    with only_one(tmp_path, "up"):
        with pytest.raises(SetupError, match="up runs already"), only_one(tmp_path, "up"):
            pass
        with only_one(tmp_path, "demo"):
            pass
    with only_one(tmp_path, "up"):
        pass


def test_an_error_inside_is_not_taken_for_a_conflict(tmp_path):
    with pytest.raises(BlockingIOError), only_one(tmp_path, "up"):
        raise BlockingIOError
