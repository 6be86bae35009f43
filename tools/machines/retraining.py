"""The machine that trains a model, compares it with the champion, and puts the better one into service."""

from dataclasses import replace

from tools.machines.asl import (
    EXECUTION,
    INPUT,
    ITEM,
    PROCESS_DIED,
    WHOLE_INVOCATION,
    Fields,
    Function,
    Machine,
    Retry,
    Step,
    assign,
    catch,
    choice,
    constant,
    each,
    service,
    wait,
    when,
)

_opening = Function("${RetrainingFunctionArn}", {"execution": EXECUTION, "input": INPUT}, Retry(errors=PROCESS_DIED))
_retraining = replace(
    _opening,
    payload={"input": INPUT, **{key: f"$.run.answer.{key}" for key in ("run_id", "started_at", "started_by")}},
)
_history = replace(_retraining, arn="${HistoryFunctionArn}")
_part = replace(_opening, payload={"input": INPUT, "run_id": "$.run_id", "part": "$.part"})
_SAGEMAKER = Retry(errors=("SageMaker.ThrottlingException", "SageMaker.InternalFailure", "SageMaker.SdkClientException"), pause=10)
_ATHENA = Retry(errors=("Athena.TooManyRequestsException", "Athena.InternalServerException", "Athena.SdkClientException"), pause=10)
_JOB_FIELDS = (
    "TrainingJobName",
    "AlgorithmSpecification",
    "HyperParameters",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
)


def _task(
    name: str,
    task: str,
    result: str,
    payload: Fields | None = None,
    *,
    seconds: int = WHOLE_INVOCATION,
    then: str | None = None,
    function: Function = _retraining,
    comment: str | None = None,
) -> Step:
    """A task that keeps its answer at `result`.answer."""
    return function.task(name, task, payload, seconds=seconds, answer={"answer": "$.Payload"}, result=result, then=then, comment=comment)


def _each_part(name: str, task_name: str, task: str, *, over: str, result: str, comment: str, function: Function = _part) -> Step:
    return each(
        name,
        [function.task(task_name, task, seconds=WHOLE_INVOCATION, output="$.Payload")],
        over=over,
        item={"run_id": "$.run.answer.run_id", "part": ITEM},
        result=result,
        at_once=10,
        comment=comment,
    )


_EXTRACT = [
    _task("Begin", "begin", "$.run", seconds=60, function=_opening, comment="Opens the run's record when no other training is under way"),
    choice("Is another training under way?", when("$.run.answer.waits", True, "Wait for its end"), otherwise="Extract"),
    wait("Wait for its end", 60, then="Begin"),
    _task("Extract", "extract", "$.extracted", function=_history, comment="Reads the lives of all customers, and the history"),
    choice(
        "Is it too much for one function?",
        when("$.extracted.answer.on_athena", True, "Ask Athena"),
        when("$.extracted.answer.in_parts", True, "Extract in parts"),
        otherwise="Extracted as a whole",
    ),
    service(
        "Ask Athena",
        "arn:aws:states:::athena:startQueryExecution.sync",
        {
            "QueryString": "$.extracted.answer.query.statement",
            "ClientRequestToken": "$.extracted.answer.query.token",
            "WorkGroup": "${HistoryWorkgroup}",
        },
        seconds=7_200,
        retry=_ATHENA,
        result=None,
        catches=[catch("Record the failure")],
        comment="Waits for the end of the query. The token starts it once, however often the call is repeated.",
    ),
    _task(
        "Read the answer",
        "read_answer",
        "$.extracted",
        {"answered": "$.extracted.answer.query.name", "customers": "$.extracted.answer.query.customers"},
        function=_history,
        then="Is it too much for one function?",
    ),
    constant("Extracted as a whole", {"answer": {"sampled": False}}, result="$.gathered", then="Validate"),
    _each_part(
        "Extract in parts",
        "Extract a part",
        "extract_part",
        over="$.extracted.answer.parts",
        result="$.parts",
        comment="Each function reads one segment of the customers, and the history",
        function=replace(_part, arn="${HistoryFunctionArn}"),
    ),
    _task("Gather", "gather", "$.gathered", {"parts": "$.parts"}),
    _task("Validate", "validate", "$.validated"),
]
_TRAIN_HERE_OR_ON_SAGEMAKER = [
    choice("Are the rows sampled?", when("$.gathered.answer.sampled", True, "Search the tree settings"), otherwise="Train"),
    _task("Train", "train", "$.trained", then="Evaluate"),
    _task("Search the tree settings", "shape", "$.trained"),
    _each_part(
        "Export the rows",
        "Export a part",
        "export_part",
        over="$.gathered.answer.parts",
        result="$.exported",
        comment="Each function writes one part in the format of the training job",
    ),
    _task("Prepare the job", "prepare_job", "$.job", seconds=60),
    replace(
        service(
            "Fit on SageMaker",
            "arn:aws:states:::sagemaker:createTrainingJob.sync",
            {"RoleArn": "${SageMakerRoleArn}", **{key: f"$.job.answer.{key}" for key in _JOB_FIELDS}},
            seconds=90_000,
            retry=_SAGEMAKER,
            result=None,
            catches=[catch("Read the job status")],
            comment="Waits for the end of the job. After any error the job's own status decides: an earlier attempt may have started it.",
        ),
        then="Import the model",
    ),
    service(
        "Read the job status",
        "arn:aws:states:::aws-sdk:sagemaker:describeTrainingJob",
        {"TrainingJobName": "$.job.answer.TrainingJobName"},
        seconds=60,
        retry=_SAGEMAKER,
        result="$.seen",
        catches=[catch("Record the failure", result="$.not_seen")],
    ),
    choice(
        "Has the job ended?",
        when("$.seen.TrainingJobStatus", "Completed", "Import the model"),
        when("$.seen.TrainingJobStatus", ("InProgress", "Stopping"), "Wait for the job"),
        otherwise="The job failed",
    ),
    wait("Wait for the job", 60, then="Read the job status"),
    assign(
        "The job failed",
        {"Error": "TrainingJobFailed", "Cause": "States.JsonToString($.seen)"},
        result="$.error",
        then="Record the failure",
    ),
    _task("Import the model", "import_model", "$.trained", {"job": "$.job.answer", "exported": "$.exported"}),
]
_DECIDE = [
    _task("Evaluate", "evaluate", "$.evaluated"),
    _task("Gate", "gate", "$.gate"),
    _task("Register", "register", "$.registered", seconds=300),
    choice("Did it pass?", when("$.registered.answer.passed", True, "Promote"), otherwise="Not promoted"),
    constant("Not promoted", {"answer": {"promoted": False, "reasons": []}}, result="$.promotion", then="Notify"),
    _task("Promote", "promote", "$.promotion", {"version": "$.registered.answer.version"}, seconds=60),
    choice("Is it in service?", when("$.promotion.answer.promoted", True, "Score everyone"), otherwise="Notify"),
    _task("Score everyone", "score", "$.scoring", seconds=60),
    wait("Wait for scoring", 5),
    _task("Check scoring", "check_scoring", "$.scoring", {"scoring_run": "$.scoring.answer.scoring_run"}, seconds=60),
    choice("Is everyone scored?", when("$.scoring.answer.status", "SUCCEEDED", "Notify"), otherwise="Wait for scoring"),
    _task(
        "Notify",
        "notify",
        "$.result",
        {"version": "$.registered.answer.version", "promotion": "$.promotion.answer"},
        seconds=60,
    ),
]

RETRAINING = Machine(
    "From customers with known outcomes to a model in service. If a step fails, the champion stays in service.",
    [*_EXTRACT, *_TRAIN_HERE_OR_ON_SAGEMAKER, *_DECIDE],
    failure=_task("Record the failure", "fail", "$.failure", {"error": "$.error"}, seconds=60, function=_opening),
    error="TrainingFailed",
    cause={"Cause": "The reason is in the run's record."},
)
