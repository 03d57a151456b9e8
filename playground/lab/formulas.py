"""Formulas for the page: the objective's terms, from LaTeX to MathML, which browsers draw by themselves."""

from __future__ import annotations

import re
from functools import lru_cache

from playground.experiment import Experiment, formulas


def terms(experiment: Experiment) -> list[dict[str, str]]:
    """The objective's terms in order: name, MathML and words of each."""
    found = formulas(experiment).items()
    return [{"name": name, "math": mathml(latex), "words": words} for name, (latex, words) in found]


@lru_cache(maxsize=256)
def mathml(latex: str) -> str:
    """A formula as a <math> element, with sums' limits below them and real accents instead of ASCII ones."""
    from latex2mathml.converter import convert

    text = convert(latex, display="block")
    text = re.sub(r"<msub><mo>&#x02211;</mo>(.*?)</msub>", _limits, text, count=0)
    text = text.replace("<mo>&#x0005E;</mo>", '<mo stretchy="false">&#x002C6;</mo>')
    return re.sub(r'((?:<mi mathvariant="normal">[A-Za-z]</mi>){2,})', _upright, text)


def _limits(found: re.Match) -> str:
    return f'<munder><mo movablelimits="false">&#x02211;</mo>{found.group(1)}</munder>'


def _upright(found: re.Match) -> str:
    """Letters of one word, "KL", as one upright identifier: apart, they would be spaced as a product."""
    return f"<mi>{''.join(re.findall(r'>([A-Za-z])<', found.group(1)))}</mi>"
