"""libnftables: scripts that are refused say why; nothing here needs rights."""

import pytest

from argosy.linux.nftables import Nftables, NftError, NftUnavailable


def test_a_refused_script_carries_the_librarys_words() -> None:
    try:
        context = Nftables()
    except NftUnavailable as error:
        pytest.skip(str(error))
    with context, pytest.raises(NftError, match="syntax error"):
        context.run("this is no rule")
