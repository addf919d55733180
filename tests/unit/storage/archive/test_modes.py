"""What each mode makes of a file of 0640 was seen with BuildKit 0.25."""

import stat

import pytest

from argosy.base.errors import InvalidParameterError
from argosy.storage.archive import modes

SEEN = {
    "=rwx": 0o777, "+w": 0o662, "=w": 0o222, "u=s": 0o4040, "g=s": 0o2600, "o=s": 0o640, "+t": 0o1640, "u+t": 0o1640, "o+t": 0o640,
    "u+x,g+X": 0o740, "g+X,u+x": 0o740, "u+u": 0o640, "a=g": 0o444, "=g": 0o444, "a=st": 0o7000, "u+st": 0o5640, "g+st": 0o3640,
    "a-rwx,u=r": 0o400, "+X": 0o640, "=X": 0, "-w": 0o440, "u-x+r": 0o640, "ug=rw,o=": 0o660, "a=rs,u-s": 0o2444, "+s": 0o6640,
    "a=u+w-r": 0o222, "o=u+g": 0o646, "g=u,o+t": 0o660, "=": 0, "0755": 0o755, "4711": 0o4711, "": 0o640,
}  # fmt: skip


@pytest.mark.parametrize(("text", "found"), SEEN.items())
def test_a_file_gets_the_mode_that_buildkit_gives_it(text, found):
    assert modes.parse(text).of(stat.S_IFREG | 0o640) == found


@pytest.mark.parametrize(("text", "found"), [("go=rX", 0o755), ("u=rwX,go=rX", 0o755), ("a-x,+X", 0o711), ("700", 0o700)])
def test_a_directory_counts_as_executable(text, found):
    assert modes.parse(text).of(stat.S_IFDIR | 0o700) == found


@pytest.mark.parametrize("text", ["u", "zz", "u+q", "-1", "u+x,,", "rwx", "u~x", "t=r", "u=rwo", ","])
def test_what_is_no_mode_is_refused(text):
    with pytest.raises(InvalidParameterError, match="invalid syntax"):
        modes.parse(text)


@pytest.mark.parametrize("text", ["9", "99999", "0o755", "789", "17777"])
def test_what_begins_with_a_digit_has_to_be_octal(text):
    with pytest.raises(InvalidParameterError, match="it should be octal string and between 0 and 07777"):
        modes.parse(text)
