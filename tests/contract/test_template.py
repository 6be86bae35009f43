"""Promises of the deployment, checked on the template as AWS receives it: expanded to plain CloudFormation."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from local.intrinsics import Resolver
from local.isolation import environment, isolate_from_aws
from local.resources import deploy
from retainstream.engine.history.lives import LIFE
from retainstream.http.visitor import SECRET_HEADER, VIEWER_HEADER
from retainstream.runs.history.on_athena import LIVES
from retainstream.settings import Settings
from retainstream.storage.history import PREFIX
from tools.expand import expand
from tools.pack import BUNDLES

ROOT = Path(__file__).parents[2]
MODULES = {"auth", "dashboard", "customers", "predictions", "model", "drafts"}
TASKS = {"authorizer", "retraining", "scoring", "rollups", "recount", "imports", "exports", "history", "prepare"}
FUNCTIONS = {f"{name.capitalize()}Function" for name in MODULES | TASKS}
# For any method: the function itself answers a method that it does not know.
PUBLIC = {"/api/health", "/api/auth/register", "/api/auth/login", "/api/openapi.json", "/api/docs", "$default"}
# Read by libraries, not by Settings.
LIBRARY_VARIABLES = {"POWERTOOLS_SERVICE_NAME", "LOG_LEVEL", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_WAIT_POLICY"}
KEEPS_DATA = {
    *("UsersTable", "CustomersTable", "PredictionsTable", "ModelsTable", "RunsTable", "RollupsTable", "RemovedCustomersTable"),
    *("Bucket", "BucketPolicy", "SigningKey", "SealingSecret"),
}

type Resource = dict[str, Any]


@pytest.fixture(scope="module")
def raw() -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())
    return template


@pytest.fixture(scope="module")
def resources() -> dict[str, Resource]:
    expanded: dict[str, Resource] = expand().template["Resources"]
    return expanded


def of_type(resources: dict[str, Resource], kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == kind}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(resources: dict[str, Resource]) -> Iterator[tuple[str, Any]]:
    """Every statement that allows something, with its resource."""
    for name, resource in resources.items():
        properties = resource["Properties"]
        inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in [*inline, properties.get("PolicyDocument"), properties.get("KeyPolicy")]:
            for statement in listed(document["Statement"]) if document else []:
                if statement["Effect"] == "Allow":
                    yield name, statement


def routes(resources: dict[str, Resource]) -> Iterator[tuple[str, str, str]]:
    """Path, method and authorizer of every route."""
    for path, methods in resources["Api"]["Properties"]["Body"]["paths"].items():
        for method, route in methods.items():
            (authorizer,) = route["security"][0]
            yield path, method, authorizer


def test_there_is_a_function_for_every_module_and_task(resources: dict[str, Resource]) -> None:
    assert of_type(resources, "AWS::Lambda::Function").keys() == FUNCTIONS
    assert {path.name for path in (ROOT / "functions").iterdir() if (path / "app.py").exists()} <= {
        name.removesuffix("Function").lower() for name in FUNCTIONS
    }


def test_all_functions_and_layers_are_built_by_the_same_makefile(raw: dict[str, Any]) -> None:
    built = {
        name: resource["Metadata"]
        for name, resource in raw["Resources"].items()
        if resource["Type"].startswith("AWS::Serverless::") and name.endswith(("Function", "Layer"))
    }
    assert built.keys() == BUNDLES.keys()
    for name, metadata in built.items():
        assert (metadata["BuildMethod"], metadata["ContextPath"]) == ("makefile", "layers"), name


def test_functions_are_traced(resources: dict[str, Resource]) -> None:
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert function["Runtime"] == "python3.13", name


def test_functions_behind_the_api_time_out_before_the_gateway(resources: dict[str, Resource]) -> None:
    for module in MODULES:
        assert resources[f"{module.capitalize()}Function"]["Properties"]["Timeout"] < 30


def test_every_log_group_has_the_retention_of_the_parameter(resources: dict[str, Resource]) -> None:
    for name, group in of_type(resources, "AWS::Logs::LogGroup").items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_functions_have_every_variable_of_settings_and_no_unknown_variable(resources: dict[str, Resource]) -> None:
    read = {name.upper() for name in Settings.model_fields}
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        variables = function["Environment"]["Variables"].keys()
        assert read <= variables, name
        assert variables - read <= LIBRARY_VARIABLES, name


def test_every_function_has_a_role_of_its_own(resources: dict[str, Resource]) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in of_type(resources, "AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(FUNCTIONS)


def test_only_auth_signs(resources: dict[str, Resource]) -> None:
    signers = {name for name, statement in statements(resources) if "kms:Sign" in listed(statement["Action"])}
    assert signers - {"SigningKey"} == {"AuthRole"}


def test_authorizer_changes_nothing(resources: dict[str, Resource]) -> None:
    allowed = {action for name, statement in statements(resources) if name == "AuthorizerRole" for action in listed(statement["Action"])}
    assert allowed == {"logs:CreateLogStream", "logs:PutLogEvents", "kms:GetPublicKey", "dynamodb:GetItem"}


def test_resources_that_hold_data_outlive_the_stack(resources: dict[str, Resource]) -> None:
    policies = {name: (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) for name, resource in resources.items()}
    # SAM copies the policy of a function to its versions, and to what goes with the function; nothing of that is replaced by a parameter.
    with_functions = ("AWS::Lambda::", "AWS::Scheduler::Schedule", "AWS::Events::Rule")
    of_functions = {
        name for name, resource in resources.items() if name.startswith(tuple(FUNCTIONS)) and resource["Type"].startswith(with_functions)
    }
    assert {name for name, (_, replaced) in policies.items() if replaced == "Retain"} == KEEPS_DATA | of_functions
    # All but what a failed first deployment has made: nothing is in it yet, and the next try makes its own.
    assert {policies[name][0] for name in KEEPS_DATA} == {"RetainExceptOnCreate"}


def test_resources_that_outlive_the_stack_have_no_names_so_that_it_can_be_created_again(resources: dict[str, Resource]) -> None:
    assert not [name for name in KEEPS_DATA if {"TableName", "BucketName"} & resources[name]["Properties"].keys()]


def test_only_the_listed_routes_are_public(resources: dict[str, Resource]) -> None:
    assert {path for path, method, authorizer in routes(resources) if authorizer == "NONE" and method != "options"} == PUBLIC


def test_every_module_is_behind_the_authorizer(resources: dict[str, Resource]) -> None:
    guarded = {path for path, _, authorizer in routes(resources) if authorizer == "Token"}
    below = {f"/api/{module}/{{proxy+}}" for module in MODULES - {"drafts"}}
    assert guarded == below | {"/api/customers", "/api/drafts", "/api/health/details"}


def test_preflights_of_guarded_routes_need_no_token(resources: dict[str, Resource]) -> None:
    guarded = {path for path, _, authorizer in routes(resources) if authorizer == "Token"}
    assert {(path, authorizer) for path, method, authorizer in routes(resources) if method == "options"} == {
        (path, "NONE") for path in guarded
    }


def test_authorizer_answers_are_simple_and_cached_for_five_minutes(resources: dict[str, Resource]) -> None:
    scheme = resources["Api"]["Properties"]["Body"]["components"]["securitySchemes"]["Token"]["x-amazon-apigateway-authorizer"]
    assert scheme["authorizerPayloadFormatVersion"] == "2.0"
    assert scheme["enableSimpleResponses"] is True
    assert scheme["authorizerResultTtlInSeconds"] == 300
    assert scheme["identitySource"] == ["$request.header.Authorization"]


def test_browsers_may_call_only_from_the_origins_of_the_parameter() -> None:
    expanded = expand(parameters={"AllowedOrigins": "https://a.example,https://b.example"}).template["Resources"]
    condition, cors, otherwise = expanded["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]["Fn::If"]
    assert (condition, otherwise) == ("HasAllowedOrigins", {"Ref": "AWS::NoValue"})
    assert cors["allowOrigins"] == {"Fn::Split": [",", "https://a.example,https://b.example"]}
    assert "*" not in cors["allowHeaders"] + cors["allowMethods"]
    assert "authorization" in cors["allowHeaders"]


def test_a_deployment_with_all_defaults_lets_no_other_origin_in(raw: dict[str, Any]) -> None:
    assert "localhost" not in json.dumps(raw)
    expanded = expand().template
    pseudo = {"AccountId": "1", "Region": "eu-west-1", "Partition": "aws", "StackName": "shop", "URLSuffix": "amazonaws.com"}
    resolver = Resolver(expanded, {}, pseudo)
    assert resolver.resolve(expanded["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-cors"]) is None
    [pages] = resolver.resolve(expanded["Resources"]["Bucket"]["Properties"]["CorsConfiguration"])["CorsRules"]
    assert pages["AllowedOrigins"] == ["https://*.cloudfront.net"]
    without_pages = Resolver(expanded, {"WebPages": "no"}, pseudo)
    assert without_pages.resolve(expanded["Resources"]["Bucket"]["Properties"]["CorsConfiguration"]) is None


def test_the_answers_of_a_guided_deployment_go_to_a_file_that_git_ignores() -> None:
    assert "samconfig.toml" in (ROOT / ".gitignore").read_text().splitlines()
    assert not any("samconfig" in line for line in (ROOT / "Makefile").read_text().splitlines()), "a clone has no samconfig.toml"
    if (ROOT / ".git").exists():
        assert not subprocess.run(["git", "ls-files", "samconfig.toml"], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_browsers_may_only_upload_to_the_bucket_and_only_from_known_origins(resources: dict[str, Resource]) -> None:
    condition, cors, otherwise = resources["Bucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert (condition, otherwise) == ("TakesUploads", {"Ref": "AWS::NoValue"})
    called, served = (rule["Fn::If"][1] for rule in cors["CorsRules"])
    assert [rule["Fn::If"][0] for rule in cors["CorsRules"]] == ["HasAllowedOrigins", "HasWebPages"]
    assert called["AllowedOrigins"] == {"Fn::Split": [",", {"Ref": "AllowedOrigins"}]}
    assert "*" not in served["AllowedOrigins"]
    assert called["AllowedMethods"] == served["AllowedMethods"] == ["PUT"]


def test_the_pages_are_private_to_their_distribution_and_run_only_their_own_scripts(resources: dict[str, Resource]) -> None:
    assert set(resources["PagesBucket"]["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    transport, read = resources["PagesBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (transport["Effect"], transport["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert (read["Action"], list(read["Condition"])) == ("s3:GetObject", ["StringEquals"])
    headers = resources["PagesHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    policy = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert set(directives["connect-src"].split()) == {"'self'", "https://${Bucket}.s3.${AWS::Region}.${AWS::URLSuffix}"}


def test_the_api_behind_the_pages_is_never_cached_and_the_page_of_a_path_is_the_front_page(resources: dict[str, Resource]) -> None:
    distribution = resources["Pages"]["Properties"]["DistributionConfig"]
    (api,) = distribution["CacheBehaviors"]
    assert (api["PathPattern"], api["CachePolicyId"]) == ("/api/*", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad")
    assert {behaviour["ViewerProtocolPolicy"] for behaviour in (api, distribution["DefaultCacheBehavior"])} <= {
        "https-only",
        "redirect-to-https",
    }
    assert distribution["WebACLId"] == {"Fn::If": ["HasWebAcl", {"Ref": "WebAclArn"}, {"Ref": "AWS::NoValue"}]}
    assert all(resource.get("Condition") == "HasWebPages" for name, resource in resources.items() if name.startswith("Pages"))


def test_the_distribution_states_the_viewers_address_and_proves_it_with_a_secret_that_it_alone_sends(
    resources: dict[str, Resource],
) -> None:
    distribution = resources["Pages"]["Properties"]["DistributionConfig"]
    origins = {origin["Id"]: origin.get("OriginCustomHeaders") for origin in distribution["Origins"]}
    secret = {"HeaderName": SECRET_HEADER, "HeaderValue": {"Fn::Sub": "{{resolve:secretsmanager:${PagesSecret}}}"}}
    assert origins == {"pages": None, "api": [secret]}
    (api,) = distribution["CacheBehaviors"]
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac", (
        "it passes on all headers but Host, the viewer's address too"
    )
    (function,) = api["FunctionAssociations"]
    assert function == {"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["PagesViewer", "FunctionARN"]}}
    assert f'headers["{VIEWER_HEADER}"]' in resources["PagesViewer"]["Properties"]["FunctionCode"]


def test_the_secret_of_the_pages_is_generated_with_them_and_named_to_functions_by_its_arn_alone(resources: dict[str, Resource]) -> None:
    assert resources["PagesSecret"]["Condition"] == "HasWebPages"
    assert "SecretString" not in resources["PagesSecret"]["Properties"]
    naming = {name for name, resource in resources.items() if "PagesSecret" in json.dumps(resource["Properties"])}
    assert naming == FUNCTIONS | {"Pages", "PagesSecretPolicy"}
    assert "PagesSecret" not in json.dumps(expand().template["Outputs"])
    for name in FUNCTIONS:
        arn = resources[name]["Properties"]["Environment"]["Variables"]["PAGES_SECRET_ARN"]
        assert arn == {"Fn::If": ["HasWebPages", {"Ref": "PagesSecret"}, {"Ref": "AWS::NoValue"}]}
    readers = ("AuthRole", "DashboardRole", "CustomersRole", "PredictionsRole", "ModelRole")
    assert resources["PagesSecretPolicy"]["Properties"]["Roles"] == [{"Ref": role} for role in readers]


def test_every_route_is_throttled_before_a_function_runs_and_anonymous_routes_more(resources: dict[str, Resource]) -> None:
    stage = resources["ApiApiGatewayDefaultStage"]["Properties"]
    default, special = stage["DefaultRouteSettings"], stage["RouteSettings"]
    methods = {"x-amazon-apigateway-any-method": "ANY"}
    paths = resources["Api"]["Properties"]["Body"]["paths"]
    routes = {f"{methods.get(method, method.upper())} {path}" for path, operations in paths.items() for method in operations}
    assert special.keys() <= routes
    assert {route.split()[1] for route in special} == {"/api/auth/login", "/api/auth/register", "/api/health"}
    for settings in special.values():
        assert 0 < settings["ThrottlingRateLimit"] < default["ThrottlingRateLimit"]
        assert settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"] < default["ThrottlingBurstLimit"]


def test_functions_that_answer_with_a_model_start_from_snapshots(raw: dict[str, Any]) -> None:
    functions = {name: raw["Resources"][name]["Properties"] for name in FUNCTIONS}
    answering = {name for name, function in functions.items() if {"Ref": "MlLayer"} in function["Layers"] and "Events" in function}
    assert answering == {"DashboardFunction", "PredictionsFunction"}
    assert {name for name, function in functions.items() if "SnapStart" in function} == answering
    assert all(functions[name]["SnapStart"] == {"ApplyOn": "PublishedVersions"} for name in answering)


def test_new_versions_take_over_gradually_and_an_alarm_takes_them_back(resources: dict[str, Resource]) -> None:
    for name in FUNCTIONS:
        group = resources[f"{name}DeploymentGroup"]["Properties"]
        condition, watched, unwatched = group["AlarmConfiguration"]["Fn::If"]
        own, api = (alarm["Name"] for alarm in watched["Alarms"])
        assert (condition, unwatched) == ("ShiftsGradually", {})
        assert resources[own["Ref"]]["Properties"]["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": name}}]
        assert resources[own["Ref"]]["Properties"]["MetricName"] == "Errors"
        assert api == resources["ApiServerErrors"]["Properties"]["AlarmName"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        policy = resources[f"{name}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert policy["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}
    for alarm in ("AuthErrors", "ApiServerErrors"):
        assert resources[alarm]["Properties"]["Period"] == 60, "a longer period would outlast a shift of five minutes"


def test_codedeploy_knows_every_shift(raw: dict[str, Any]) -> None:
    for shift in raw["Parameters"]["DeploymentShift"]["AllowedValues"]:
        group = expand(parameters={"DeploymentShift": shift}).template["Resources"]["AuthFunctionDeploymentGroup"]["Properties"]
        assert group["DeploymentConfigName"] == {"Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": shift}]}


def test_a_parameter_that_reaches_the_functions_publishes_new_versions(raw: dict[str, Any], resources: dict[str, Resource]) -> None:
    variables = str(raw["Globals"]["Function"]["Environment"]["Variables"])
    conditions = {name for name in raw["Conditions"] if f"'{name}'" in variables}
    sources = variables + "".join(str(raw["Conditions"][name]) for name in conditions)
    reaching = {name for name in raw["Parameters"] if f"'{name}'" in sources}
    content = resources["SettingsVersion"]["Properties"]["Content"]["Fn::Sub"]
    assert {line.split(":")[0] for line in content.splitlines()} == reaching
    assert all(line == f"{name}: ${{{name}}}" for line in content.splitlines() for name in [line.split(":")[0]])
    for name, version in of_type(resources, "AWS::Lambda::Version").items():
        assert version["Description"] == {"Fn::Sub": "Settings ${SettingsVersion.VersionNumber}"}, name


def test_versions_of_earlier_deployments_stay(resources: dict[str, Resource]) -> None:
    """A change of code gives a version a new logical id (DeletionPolicy), a parameter a new description (UpdateReplacePolicy)."""
    versions = {name: resource for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"}
    assert len(versions) == len(FUNCTIONS)
    for name, version in versions.items():
        assert (version["DeletionPolicy"], version.get("UpdateReplacePolicy")) == ("Retain", "Retain"), name


def test_a_change_of_a_layer_publishes_every_function_with_the_layer(tmp_path: Path) -> None:
    def versions(template: str) -> set[str]:
        (tmp_path / "template.yaml").write_text(template)
        return of_type(expand(tmp_path / "template.yaml").template["Resources"], "AWS::Lambda::Version").keys() - set()

    (tmp_path / "statemachines").symlink_to(ROOT / "statemachines")
    text = (ROOT / "template.yaml").read_text()
    before = versions(text)
    after = versions(text.replace("Description: The retainstream package, pydantic and Powertools", "Description: another"))
    assert len(before) == len(FUNCTIONS)
    assert not before & after


@pytest.mark.parametrize("scoring_map", ["inline", "distributed"])
def test_functions_know_the_arns_of_the_state_machines(scoring_map: str) -> None:
    expanded = expand(parameters={"ScoringMap": scoring_map})
    with environment({}):
        isolate_from_aws()
        with mock_aws():
            deployment = deploy(expanded, {"ScoringMap": scoring_map})
    arns = {value for name, value in deployment.environment.items() if name.endswith("_STATE_MACHINE_ARN")}
    started_by_its_schedule = {arn for arn in deployment.state_machines.values() if arn.endswith("-history")}
    assert len(started_by_its_schedule) == 1
    assert arns | started_by_its_schedule == set(deployment.state_machines.values())
    assert deployment.environment["SCORING_STATE_MACHINE_ARN"].endswith("-distributed") is (scoring_map == "distributed")


def test_state_machines_have_a_substitution_for_every_placeholder(raw: dict[str, Any]) -> None:
    machines = {name: resource for name, resource in raw["Resources"].items() if resource["Type"] == "AWS::Serverless::StateMachine"}
    assert machines.keys() >= {"RetrainingStateMachine", "ScoringStateMachine", "DistributedScoringStateMachine"}
    for name, machine in machines.items():
        properties = machine["Properties"]
        definition = (ROOT / properties["DefinitionUri"]).read_text()
        placeholders = {part.split("}")[0] for part in definition.split("${")[1:]}
        assert placeholders == properties["DefinitionSubstitutions"].keys(), name


def test_one_scoring_machine_is_deployed_and_only_the_distributed_machine_may_start_executions(raw: dict[str, Any]) -> None:
    inline, distributed = (raw["Resources"][name]["Condition"] for name in ("ScoringStateMachine", "DistributedScoringStateMachine"))
    assert raw["Conditions"][inline] == {"Fn::Equals": [{"Ref": "ScoringMap"}, "inline"]}
    assert raw["Conditions"][distributed] == {"Fn::Equals": [{"Ref": "ScoringMap"}, "distributed"]}
    assert raw["Resources"]["DistributedScoringPolicy"]["Condition"] == distributed
    role = raw["Resources"]["ScoringStateMachineRole"]
    assert "states:" not in str(role)


def test_scoring_reserves_executions_only_where_the_parameter_says_so(raw: dict[str, Any]) -> None:
    reserved = raw["Resources"]["ScoringFunction"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved == {"Fn::If": ["ReservesScoring", {"Ref": "ScoringReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
    assert raw["Conditions"]["ReservesScoring"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ScoringReservedConcurrency"}, 0]}]}
    assert raw["Parameters"]["ScoringReservedConcurrency"]["Default"] == 0


def test_a_failing_record_does_not_block_the_stream(resources: dict[str, Resource]) -> None:
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    assert {mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in mappings.values()} == {"CustomersTable", "PredictionsTable"}
    assert all(mapping["BisectBatchOnFunctionError"] is True for mapping in mappings.values())


def test_tables_are_billed_per_request(resources: dict[str, Resource]) -> None:
    for name, table in of_type(resources, "AWS::DynamoDB::Table").items():
        assert table["BillingMode"] == "PAY_PER_REQUEST", name


def test_alarms_can_reach_the_encrypted_topic(resources: dict[str, Resource]) -> None:
    assert resources["NotificationTopic"]["Properties"]["KmsMasterKeyId"] == {"Ref": "NotificationKey"}
    key, topic = (
        {name: statement for name, statement in statements(resources) if statement.get("Sid") == "Alarms"}[name]
        for name in ("NotificationKey", "NotificationTopicPolicy")
    )
    assert key["Principal"] == topic["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert set(key["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "NotificationTopic"}], name


def test_a_schedule_keeps_a_snapshot_of_every_day(resources: dict[str, Resource]) -> None:
    [daily] = [
        schedule
        for schedule in of_type(resources, "AWS::Scheduler::Schedule").values()
        if "RollupsFunction" in str(schedule["Target"]["Arn"])
    ]
    assert daily["ScheduleExpression"] == "cron(50 23 * * ? *)"
    assert json.loads(daily["Target"]["Input"]).keys() == json.loads((ROOT / "events/rollups/keep-day.json").read_text()).keys()


def test_names_differ_between_two_stacks_of_one_account(resources: dict[str, Resource]) -> None:
    name_properties = ("Name", "FunctionName", "LayerName", "LogGroupName", "AlarmName", "AliasName", "StateMachineName")
    for name, resource in resources.items():
        if resource["Type"].startswith("AWS::Lambda::") and resource["Type"] not in {"AWS::Lambda::Function", "AWS::Lambda::LayerVersion"}:
            continue
        for key in name_properties:
            if key in resource["Properties"]:
                assert "AWS::StackName" in str(resource["Properties"][key]), f"{name}.{key}"


def test_a_training_job_only_reads_its_rows_and_writes_its_model(resources: dict[str, Resource]) -> None:
    allowed = [statement for name, statement in statements(resources) if name == "SageMakerRole"]
    objects = {action: str(statement["Resource"]) for statement in allowed for action in statement["Action"] if action.startswith("s3:")}
    assert objects.keys() == {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}
    assert "training/*/rows/*" in objects["s3:GetObject"]
    assert "training/*/output/*" in objects["s3:PutObject"]
    (trusted,) = resources["SageMakerRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert "aws:SourceAccount" in str(trusted["Condition"])


def test_training_jobs_need_a_threshold(resources: dict[str, Resource]) -> None:
    starters = {name for name, statement in statements(resources) if "sagemaker:CreateTrainingJob" in listed(statement["Action"])}
    passers = {name: statement for name, statement in statements(resources) if "iam:PassRole" in listed(statement["Action"])}
    assert starters == passers.keys() == {"TrainingJobsPolicy"}
    assert resources["TrainingJobsPolicy"]["Condition"] == "FitsOnSageMaker"
    assert resources["TrainingJobsPolicy"]["Properties"]["Roles"] == [{"Ref": "RetrainingStateMachineRole"}]
    pass_role = passers["TrainingJobsPolicy"]
    assert pass_role["Resource"] == {"Fn::GetAtt": ["SageMakerRole", "Arn"]}
    assert pass_role["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    awaiting = {name for name, statement in statements(resources) if "events:PutRule" in listed(statement["Action"])}
    assert awaiting == {"RetrainingStateMachineRole"}


def test_athena_needs_a_threshold(raw: dict[str, Any], resources: dict[str, Resource]) -> None:
    assert raw["Parameters"]["HistoryEngineRowThreshold"]["Default"] == 0
    of_athena = {name for name, resource in resources.items() if resource["Type"].startswith(("AWS::Athena::", "AWS::Glue::"))}
    rights = {
        name
        for name, statement in statements(resources)
        if any(action.startswith(("athena:", "glue:")) for action in listed(statement["Action"]))
    }
    assert of_athena == {"HistoryDatabase", "HistoryTable", "LivesTable", "HistoryWorkgroup"}
    assert rights == {"HistoryTablesPolicy", "HistoryQueriesPolicy"}
    assert {resources[name]["Condition"] for name in of_athena | rights} == {"HistoryOnAthena"}
    assert resources["HistoryQueriesPolicy"]["Properties"]["Roles"] == [{"Ref": "RetrainingStateMachineRole"}]
    assert resources["HistoryTablesPolicy"]["Properties"]["Roles"] == [{"Ref": "HistoryRole"}]


def test_athena_reads_the_folders_that_the_functions_write(resources: dict[str, Resource]) -> None:
    tables = {resources[name]["Properties"]["TableInput"]["Name"]: resources[name] for name in ("HistoryTable", "LivesTable")}
    places = {
        name: str(table["Properties"]["TableInput"]["StorageDescriptor"]["Location"]["Fn::Sub"]).removeprefix("s3://${Bucket}/")
        for name, table in tables.items()
    }
    assert places == {"history": PREFIX, "lives": LIVES.rpartition("/")[0] + "/"}
    kinds = {"VARCHAR": "string", "INTEGER": "int"}
    described = tables["lives"]["Properties"]["TableInput"]["StorageDescriptor"]["Columns"]
    assert {column["Name"]: column["Type"] for column in described} == {name: kinds[kind] for name, kind in LIFE.items()}
    assert tables["history"]["Properties"]["TableInput"]["PartitionKeys"] == [{"Name": "anchor", "Type": "string"}]
    configured = resources["HistoryWorkgroup"]["Properties"]["WorkGroupConfiguration"]
    assert configured["EnforceWorkGroupConfiguration"] is True
    assert configured["ResultConfiguration"]["OutputLocation"]["Fn::Sub"].startswith("s3://${Bucket}/training/")


def test_sam_local_passes_every_default_to_the_functions(raw: dict[str, Any]) -> None:
    """It leaves a reference to a fraction empty; it passes a text."""
    assert not [name for name, parameter in raw["Parameters"].items() if isinstance(parameter.get("Default"), float)]


def test_sam_local_calls_the_authorizer_wherever_api_gateway_does(raw: dict[str, Any]) -> None:
    """For all methods of a path it takes the authorizer of the path's last event."""
    for name, function in raw["Resources"].items():
        events = function["Properties"].get("Events", {}).values() if function["Type"] == "AWS::Serverless::Function" else ()
        guarded: dict[str, list[bool]] = {}
        for event in (event["Properties"] for event in events if event["Type"] == "HttpApi"):
            guarded.setdefault(event.get("Path", "$default"), []).append(event.get("Auth", {}).get("Authorizer") != "NONE")
        assert not [path for path, tokens in guarded.items() if any(tokens) and not tokens[-1]], name
