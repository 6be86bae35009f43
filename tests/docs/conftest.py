"""Reports at the end which commands of the documentation were run, and which were only checked."""

import pytest

COMMANDS = "documented commands"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    lines = [text for report in reports for name, text in getattr(report, "user_properties", ()) if name == COMMANDS]
    if lines:
        terminalreporter.section(COMMANDS)
        for text in lines:
            terminalreporter.write_line(text)
