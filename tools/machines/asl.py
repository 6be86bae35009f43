"""The Amazon States Language, written from descriptions that name only what differs between steps.

A description is a list of steps in their order. Each step leads to the next one in the list unless it says otherwise. Every step that can
fail leads to the machine's failure step, except inside a map, where the map itself fails.

Values that begin with `$.`, `$$.` or `States.` are paths in the state's data, paths in the context, or calls of intrinsic functions. Their
keys get the suffix `.$` that the language requires. The language: https://states-language.net/spec.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

type Json = bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None
type Fields = Mapping[str, Json]

END = "(end)"
"""In place of a following step: the machine, or the iteration of a map, ends here."""

EXECUTION = "$$.Execution.Name"
INPUT = "$$.Execution.Input"
ITEM = "$$.Map.Item.Value"

_LAMBDA = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Runtime.ExitError",
)
PROCESS_DIED = (*_LAMBDA, "StorageUnavailable")
"""Errors of Lambda itself, the death of a process, and storage that did not answer: the work may succeed when it is repeated."""
PASSING = (*_LAMBDA, "Sandbox.Timedout", "StorageUnavailable")
"""The same, and an invocation that ran out of time. For tasks that keep their progress."""


WHOLE_INVOCATION = 930
"""Seconds for a task that may use a whole invocation: more than Lambda's 900, so that Lambda ends a late invocation, and the machine, which
knows that error, repeats it."""


@dataclass(frozen=True)
class Retry:
    """How a step is repeated: pauses double from `pause` seconds up to `longest` seconds, with full jitter."""

    errors: tuple[str, ...] = PASSING
    pause: int = 2
    attempts: int = 5
    longest: int | None = None

    def asl(self) -> Fields:
        longest = {} if self.longest is None else {"MaxDelaySeconds": self.longest}
        return {
            "ErrorEquals": list(self.errors),
            "IntervalSeconds": self.pause,
            "BackoffRate": 2.0,
            "MaxAttempts": self.attempts,
            **longest,
            "JitterStrategy": "FULL",
        }


THROTTLED = Retry(("Lambda.TooManyRequestsException",), pause=2, attempts=40, longest=60)
"""The account has no free execution: nothing has run yet, so a task waits, for about 20 minutes. New accounts have 10 executions in all."""


def catch(step: str, errors: Sequence[str] = ("States.ALL",), result: str = "$.error") -> Fields:
    """What follows an error: `step`, which sees the error at the path `result`."""
    return {"ErrorEquals": list(errors), "ResultPath": result, "Next": step}


@dataclass(frozen=True)
class Step:
    """A named state without its transition, and the step that follows if it is not the next in the list."""

    name: str
    state: Fields
    then: str | None = None


@dataclass(frozen=True)
class Function:
    """A Lambda function with what all of its tasks have in common: the payload and how they are repeated."""

    arn: str
    payload: Fields
    retry: Retry = field(default_factory=Retry)

    def task(
        self,
        name: str,
        task: str,
        payload: Fields | None = None,
        *,
        seconds: int,
        answer: Fields | None = None,
        result: str | None = None,
        output: str | None = None,
        retry: Retry | None = None,
        catches: Sequence[Fields] | None = None,
        then: str | None = None,
        comment: str | None = None,
    ) -> Step:
        """One invocation, of at most `seconds`.

        `answer` selects fields of what the function returns, `result` is the path that keeps them, `output` is the path of what the next
        step receives.
        """
        return Step(
            name,
            _present(
                Type="Task",
                Comment=comment,
                Resource="arn:aws:states:::lambda:invoke",
                Parameters={"FunctionName": self.arn, "Payload": paths({"task": task, **self.payload, **(payload or {})})},
                ResultSelector=paths(answer) if answer else None,
                ResultPath=result,
                OutputPath=output,
                TimeoutSeconds=seconds,
                Retry=[THROTTLED.asl(), (retry or self.retry).asl()],
                Catch=list(catches) if catches else None,
            ),
            then,
        )

    def failure(self, *, result: str | None = None, retry: Retry | None = None, comment: str | None = None) -> Step:
        """The step that writes the reason of a failure to the run's record, and answers with it."""
        return self.task(
            "Record the failure",
            "fail",
            {"error": "$.error"},
            seconds=120,
            answer={"reason": "$.Payload.reason"},
            result=result,
            retry=retry,
            comment=comment,
        )

    def turns(
        self,
        name: str,
        task: str,
        *,
        turn: str,
        kept: Sequence[str],
        done: str,
        retry: Retry | None = None,
        catches: Sequence[Fields] | None = None,
    ) -> list[Step]:
        """An iteration of a map: the task is invoked until its answer says that it is done.

        The field `turn` holds the progress: the task receives its last answer in it. The fields `kept` are the same in every turn. `done`
        names the last step, whose output is the last answer.
        """
        answer = f"$.answer.{turn}"
        same = {key: f"$.{key}" for key in kept}
        return [
            self.task(
                name,
                task,
                {**same, turn: f"$.{turn}"},
                seconds=WHOLE_INVOCATION,
                answer={turn: "$.Payload"},
                result="$.answer",
                retry=retry,
                catches=catches,
            ),
            choice("Is it done?", when(f"{answer}.done", True, done), otherwise="Go on"),
            assign(
                "Go on", {**same, turn: answer}, then=name, comment="The invocation ran out of time; the next one starts where it stopped"
            ),
            Step(done, {"Type": "Pass", "OutputPath": answer}, END),
        ]


def service(
    name: str,
    resource: str,
    parameters: Fields,
    *,
    seconds: int,
    retry: Retry,
    result: str | None,
    catches: Sequence[Fields],
    comment: str | None = None,
) -> Step:
    """A call of another AWS service. With `result` None its answer is dropped and the state's data stay as they are."""
    state = _present(Type="Task", Comment=comment, Resource=resource, Parameters=paths(parameters))
    rest: Fields = {"ResultPath": result, "TimeoutSeconds": seconds, "Retry": [retry.asl()], "Catch": list(catches)}
    return Step(name, {**state, **rest})


def each(
    name: str,
    steps: Sequence[Step],
    *,
    over: str,
    item: Fields,
    result: str,
    at_once: int | str,
    distributed: bool = False,
    comment: str | None = None,
) -> Step:
    """A map: `steps` for every element of the list at the path `over`, `at_once` at a time.

    `item` is the data of an iteration. A distributed map runs every iteration in an execution of its own.
    """
    mode: Fields = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"} if distributed else {"Mode": "INLINE"}
    return Step(
        name,
        _present(
            Type="Map",
            Comment=comment,
            Label="segments" if distributed else None,
            ItemsPath=over,
            ItemSelector=paths(item),
            MaxConcurrency=at_once,
            ItemProcessor={"ProcessorConfig": mode, "StartAt": steps[0].name, "States": linked(steps)},
            ResultPath=result,
        ),
    )


def assign(name: str, values: Fields, *, result: str | None = None, then: str | None = None, comment: str | None = None) -> Step:
    """Values computed from the state's data, kept at the path `result`, or in place of all data."""
    return Step(name, _present(Type="Pass", Comment=comment, Parameters=paths(values), ResultPath=result), then)


def constant(name: str, value: Json, *, result: str, then: str | None = None) -> Step:
    """A fixed value, kept at the path `result`."""
    return Step(name, {"Type": "Pass", "Result": value, "ResultPath": result}, then)


def wait(name: str, seconds: int | str, *, then: str | None = None, comment: str | None = None) -> Step:
    """A pause of `seconds`, or of the seconds at a path."""
    key = "SecondsPath" if isinstance(seconds, str) else "Seconds"
    return Step(name, {**_present(Type="Wait", Comment=comment), key: seconds}, then)


def when(variable: str, value: bool | str | tuple[str, ...], then: str) -> Fields:
    """A rule of a choice: where the variable has this value, or one of these, `then` follows."""
    if isinstance(value, tuple):
        return {"Or": [_equals(variable, alternative) for alternative in value], "Next": then}
    return {**_equals(variable, value), "Next": then}


def _equals(variable: str, value: bool | str) -> Fields:
    return {"Variable": variable, "BooleanEquals" if isinstance(value, bool) else "StringEquals": value}


def choice(name: str, *rules: Fields, otherwise: str) -> Step:
    """The step of the first rule that applies, or else the step `otherwise`."""
    return Step(name, {"Type": "Choice", "Choices": list(rules), "Default": otherwise})


@dataclass(frozen=True)
class Machine:
    """A state machine: its steps, and the step that records a failure, if there is one, before the execution fails with `error`."""

    comment: str
    steps: Sequence[Step]
    failure: Step | None
    error: str
    cause: Fields

    def asl(self) -> Fields:
        """The definition, as a document of the Amazon States Language."""
        steps = [
            *(self._caught(step) for step in self.steps),
            Step("Done", {"Type": "Succeed"}),
            *([self.failure] if self.failure else []),
            Step("Failed", {"Type": "Fail", "Error": self.error, **self.cause}),
        ]
        return {"Comment": self.comment, "StartAt": steps[0].name, "States": linked(steps)}

    def _caught(self, step: Step) -> Step:
        if step.state["Type"] not in ("Task", "Map") or "Catch" in step.state:
            return step
        return Step(step.name, {**step.state, "Catch": [catch(self.failure.name if self.failure else "Failed")]}, step.then)


def linked(steps: Sequence[Step]) -> Fields:
    """The states of these steps, each with its transition."""
    following = [*(step.name for step in steps[1:]), END]
    return {step.name: {**step.state, **_transition(step, after)} for step, after in zip(steps, following, strict=True)}


def _transition(step: Step, after: str) -> Fields:
    if step.state["Type"] in ("Choice", "Succeed", "Fail"):
        return {}
    then = step.then or after
    return {"End": True} if then == END else {"Next": then}


def paths(values: Fields) -> Fields:
    """The fields with `.$` at the keys of those that are computed."""
    return {
        f"{key}.$" if _is_computed(value) else key: paths(value) if isinstance(value, Mapping) else value for key, value in values.items()
    }


def _is_computed(value: Json) -> bool:
    return isinstance(value, str) and value.startswith(("$.", "$$.", "States."))


def _present(**fields: Json) -> Fields:
    return {key: value for key, value in fields.items() if value is not None}
