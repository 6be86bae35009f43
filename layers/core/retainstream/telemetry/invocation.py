"""What an invocation tells of itself on its log lines."""

from typing import Any


def error_of(error: BaseException) -> dict[str, Any]:
    """An error without its message, which may hold somebody's data: {error, at}."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": frames[-12:]}
