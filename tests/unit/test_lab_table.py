"""A table escapes what it is given and never shows a missing figure as zero."""

import pytest

from riskd.lab.table import DASH, Line, figure, p_value, percent, table, words

pytestmark = pytest.mark.unit


def test_every_text_is_escaped() -> None:
    """Caption, heads, cells and reasons cannot become markup."""
    evil = "<img src=x onerror=alert(1)>\"'&"
    page = table(evil, evil, [evil, evil], [Line(evil, [words(evil), figure(None, "", evil)])])
    assert "<img" not in page
    assert 'aria-label="&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;"' in page
    assert page.count("&lt;img") == 8  # caption twice, corner, two columns, head, cell, reason


def test_a_missing_figure_is_a_dash_with_its_reason() -> None:
    """Dashes of one reason share one numbered note; a dash without a reason still says that it was not computed."""
    cells = [figure(None, ".2f", "no CRPS"), percent(None), p_value(None, "no CRPS")]
    page = table("c", "", ["a", "b", "c"], [Line("m", cells)])
    assert page.count(f"<td>{DASH}<sup>1</sup></td>") == 2
    assert f"<td>{DASH}<sup>2</sup></td>" in page
    assert '<ol class="quiet"><li>no CRPS</li><li>not computed</li></ol>' in page


@pytest.mark.parametrize(
    ("p", "text", "tone"), [(0.0, "< .001", "bad"), (0.0499, "0.050", "bad"), (0.05, "0.050", ""), (1.0, "1.000", "")]
)
def test_a_p_value_below_a_twentieth_is_marked(p: float, text: str, tone: str) -> None:
    """The mark goes by the value, not by what rounding shows."""
    assert (p_value(p).text, p_value(p).tone) == (text, tone)


def test_a_number_has_a_real_minus_sign() -> None:
    """Below zero the sign is U+2212."""
    assert figure(-1.5, "+.2f").text == "\u22121.50"
    assert percent(0.0512).text == "5.12%"
