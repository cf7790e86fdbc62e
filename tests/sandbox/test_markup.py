from __future__ import annotations

import pytest

from plugbay.sandbox.markup import plain


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("a<br>b", "a\nb"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("x<script>alert(1)</script><style>p{}</style>y", "xy"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("no markup", "no markup"),
        ("<b>un<i>closed", "unclosed"),
        ("</script>kept", "kept"),
        ("", ""),
    ],
)
def test_words(markup, words):
    """Markup is reduced to its words, blocks to lines, scripts to nothing."""
    assert plain(markup) == words
