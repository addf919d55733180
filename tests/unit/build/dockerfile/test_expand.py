"""Expected values are Docker 28's, asked by LABEL and ENV."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.build.dockerfile.expand import ExpansionError, expand, expand_text, expand_words

ENV = {"a": "1", "P": "foo/bar/foo.tar.gz", "empty": "", "two": "x  y", "E": "env"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("plain", "plain"),
        ("$a", "1"),
        ("${a}b", "1b"),
        ("$a_b", ""),
        ("$unset", ""),
        ("'$a'", "$a"),
        ('"$a"', "1"),
        ("\\$a", "$a"),
        ('"\\$a\\"\\\\\\n"', '$a"\\\\n'),
        ("a\\ b", "a b"),
        ("$", "$"),
        ('"$"', "$"),
        ("${a}$$", "1"),
        ("$*", ""),
        ("$1x", "x"),
        ("${1}y", "y"),
        ("$-", ""),
        ('"a\'b"', "a'b"),
        ("'a\"b'", 'a"b'),
        ('"a\\b"', "a\\b"),
        ("a\\b", "ab"),
        ("foo\"bar\"'baz'", "foobarbaz"),
        ("end\\", "end"),
        ("${zz:-a b}", "a b"),
        ('${zz:-"a  b"}', "a  b"),
        ("${zz:-${a:-x}}", "1"),
        ("${zz:-${yy:-x}}", "x"),
        ("${empty:-x}", "x"),
        ("${empty-x}", ""),
        ("${zz-x}", "x"),
        ("${a:-x}", "1"),
        ('${a:+"q r"}', "q r"),
        ("${a+x}", "x"),
        ("${empty:+x}", ""),
        ("${empty+x}", "x"),
        ("${zz+x}", ""),
        ("${a?gone}", "1"),
        ("${empty?gone}", ""),
        ("${a#1}x", "x"),
        ("${a/1/\\/}", "\\/"),
        ("${a//1/2}", "2"),
        ("${a/?/[&]}", "[&]"),
        ("${P##*/}", "foo.tar.gz"),
        ("${P%.*}", "foo/bar/foo.tar"),
        ("${P%%.*}", "foo/bar/foo"),
        ("${P#*/}", "bar/foo.tar.gz"),
        ("${P//foo/x}", "x/bar/x.tar.gz"),
        ("${P/o*o/_}", "f_.tar.gz"),
        ("${P//\\//_}", "foo_bar_foo.tar.gz"),
        ("${P/\\*/x}", "foo/bar/foo.tar.gz"),
        ("${P#foo}", "/bar/foo.tar.gz"),
        ("${P%gz}", "foo/bar/foo.tar."),
        ("${P//o/}", "f/bar/f.tar.gz"),
        ('"${P//\\/bar/}"', "foo/foo.tar.gz"),
        ("${P%%/*}", "foo"),
        ("${P/?a/}", "foo/r/foo.tar.gz"),
        ("${P//*/q}", "q"),
    ],
)
def test_a_word_expands_as_in_docker(word, value):
    assert expand(word, ENV) == value


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("${b:?why}", 'failed to process "${b:?why}": b: why'),
        ("${b?}", 'failed to process "${b?}": b: is not allowed to be unset'),
        ("${empty:?}", 'failed to process "${empty:?}": empty: is not allowed to be empty'),
        ('"b', 'failed to process "\\"b": unexpected end of statement while looking for matching double-quote'),
        ("'b", 'failed to process "\'b": unexpected end of statement while looking for matching single-quote'),
        ("${b:x}", 'failed to process "${b:x}": unsupported modifier (:x) in substitution'),
        ("${b!}", 'failed to process "${b!}": unsupported modifier (!) in substitution'),
        ("${", "failed to process \"${\": syntax error: missing '}'"),
        ("${b:-x", "failed to process \"${b:-x\": syntax error: missing '}'"),
        ("${b", "failed to process \"${b\": syntax error: missing '}'"),
        ("${}", 'failed to process "${}": syntax error: bad substitution'),
        ("${:x}", 'failed to process "${:x}": syntax error: bad substitution'),
        ("${P//}", "failed to process \"${P//}\": syntax error: missing '/' in ${}"),
        ("${P#\\a}", "failed to process \"${P#\\\\a}\": invalid pattern (\\a) in substitution: invalid escape '\\a'"),
    ],
)
def test_a_broken_word_is_named_in_docker_s_words(word, words):
    with pytest.raises(ExpansionError) as caught:
        expand(word, ENV)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("a b", ["a", "b"]),
        ("$two", ["x", "y"]),
        ('"$two"', ["x  y"]),
        ("'a b' c", ["a b", "c"]),
        ("a\\ b", ["a b"]),
        (" $empty ", []),
        ("80 $a/udp", ["80", "1/udp"]),
    ],
)
def test_words_split_where_no_quotes_are(word, words):
    assert expand_words(word, ENV) == words


def test_another_escape_character_escapes():
    assert expand("`$a \\$a", ENV, escape="`") == "$a \\1"


def test_a_document_keeps_its_quotes():
    assert expand_text("'$a' \"${zz:-x}\" \\$a\n", ENV) == "'1' \"x\" $a\n"


def test_nesting_and_size_have_an_end():
    with pytest.raises(ExpansionError, match="nested too deeply"):
        expand("${x:-" * 5000 + "}" * 5000, {})
    with pytest.raises(ExpansionError, match="4 MiB"):
        expand("$big" * 100, {"big": "x" * (1 << 20)})


def test_a_pattern_full_of_stars_takes_no_time():
    value = "a" * 60000
    assert expand("${v#" + "*a" * 40 + "b}", {"v": value}) == value
    assert expand("${v%%b" + "*a" * 40 + "}", {"v": value}) == value


@given(st.text())
def test_quoted_text_stays_as_it_is(text):
    quoted = "'" + text.replace("'", "'\"'\"'") + "'"
    assert expand(quoted, ENV) == text


@given(st.text(alphabet="ab$\\{}'\":-+?#%/*x "), st.text(alphabet="ab/*x ", max_size=8))
def test_any_word_expands_or_is_refused(word, value):
    try:
        whole = expand(word, {"a": value, "b": ""})
    except ExpansionError:
        return
    assert "".join(expand_words(word, {"a": value, "b": ""})).replace(" ", "") == whole.replace(" ", "")
