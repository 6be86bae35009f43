"""An invocation's error on its log line."""

from typing import TypedDict


class ErrorLine(TypedDict):
    """The class of an error, and the last twelve frames of its stack."""

    error: str
    at: list[str]


def error_of(error: BaseException) -> ErrorLine:
    """An error without its message, which may hold personal data."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": frames[-12:]}
