"""Prose in code: what reads like sentences."""

from textwrap import dedent

from moebench.data.sources.prose import paragraphs


def test_prose_is_what_reads_like_sentences() -> None:
    code = '''
    def area(width, height):
        """Return the area of a rectangle with the given sides.

        Parameters
        ----------
        width : float
            Length of the side that runs from left to right, in ``metres``.

        See :func:`~shapes.perimeter` for the length of the line around it.
        x = y + z * 3 - f(2)[1] ** 4 / 7 = 9.

        >>> area(2, 3)  # Something that looks like a sentence to nobody.
        6
        """
    '''
    assert list(paragraphs(dedent(code))) == [
        "Return the area of a rectangle with the given sides.",
        "Length of the side that runs from left to right, in metres.",
    ]


def test_markup_gives_way_to_its_content() -> None:
    code = '"""See :func:`~shapes.area` or :ref:`the guide <guide>` for what this is good for."""'
    (sentence,) = paragraphs(code)
    assert sentence == "See shapes.area or the guide for what this is good for."


def test_code_that_cannot_be_parsed_has_no_prose() -> None:
    assert list(paragraphs('def f(: """Return what nobody will ever be able to read."""')) == []
