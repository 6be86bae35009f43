"""The table of figures beside their truth."""

from bench.known_truth.__main__ import PAGE, page


class TestPage:
    def test_shows_the_stored_figures(self) -> None:
        assert page(PAGE.read_text()) == PAGE.read_text()
