"""State machines that really run on moto, with the function they call in this process."""

import json
from typing import Any

import pytest
from moto.awslambda.models import LambdaBackend
from moto.core.config import default_user_config

from tests.integration.conftest import lambda_context, load_function
from tests.strict.elsewhere import faults_of_state
from tests.strict.hook import violations


def function_arn(name: str) -> str:
    """The ARN by which a definition names the function of functions/`name`."""
    return f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"


def run_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on executions run. Every Lambda task is answered by the handler of the function that it names, its errors by their names."""
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})

    def invoke(_self: Any, name: str, _qualifier: Any, body: Any, _headers: Any, response_headers: Any) -> bytes:
        function = name.rsplit(":", 1)[-1]
        given = body if isinstance(body, str) else body.decode()
        try:
            answer = json.dumps(load_function(function).handler(json.loads(given), lambda_context(function)))
            violations.extend(
                f"{function} {json.loads(given)['task']}: {fault}" for told in (given, answer) for fault in faults_of_state(told)
            )
            return answer.encode()
        except Exception as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}).encode()

    monkeypatch.setattr(LambdaBackend, "invoke", invoke)
