"""`retainstream prepare`: computes training rows and present features from the delivered sources."""

from cli.account import AsJson, Url
from cli.answers import PreparationView
from cli.output import print_json, print_line, print_table, say, say_warning
from cli.runs import Run, RunId, Stage, Watch, check_ended_well, say_if_already_running, stage_of_steps
from cli.session import signed_in

_PATH = "/api/customers/preparations"
_STEPS = {"build": "computing features and outcomes", "store": "storing the customers"}


def prepare(watch: Watch = False, run: RunId = None, url: Url = None, as_json: AsJson = False) -> None:
    """Compute training rows and present features from the delivered sources. Needs the role analyst.

    Every row of the sources that cannot be used is counted, with the reason. A preparation can be repeated: it replaces what the one
    before computed. The schedule does the same each night.
    """
    with signed_in(url) as client:
        view: PreparationView = (client.get(_run(run).path) if run else client.start(_PATH)).data
        say_if_already_running(view, "preparation", quiet=as_json)
        if watch:
            view = _run(view["run_id"]).follow(client, quiet=as_json)
    if as_json:
        print_json(view)
    else:
        _print(view)
    check_ended_well(view, "preparation")


def _run(run_id: str) -> Run[PreparationView]:
    def stage(view: PreparationView) -> Stage:
        return stage_of_steps(view, view["planned_steps"], _STEPS)

    return Run("preparation", "retainstream prepare", _PATH, run_id, stage)


def _print(view: PreparationView) -> None:
    if view["status"] == "RUNNING":
        _run(view["run_id"]).say_how_to_look()
        return
    for note in view["notes"]:
        say(f"note: {note}")
    for finding in view["findings"]:
        (say if finding["kept"] else say_warning)(f"note: {finding['text']}" if finding["kept"] else finding["text"])
    if view["status"] == "FAILED":
        return
    rows = (
        [anchor["anchor"], f"{anchor['rows']:,}", *(f"{anchor[name]:,}" if anchor["labelled"] else "–" for name in ("left", "stayed"))]
        for anchor in view["anchors"]
    )
    print_table(("anchor", "customers", "left", "stayed"), rows, numbers=("customers", "left", "stayed"))
    counts = view["counts"]
    words = {
        "created": "new",
        "changed": "changed",
        "unchanged": "unchanged",
        "older": "older than the stored data",
        "rejected": "rejected",
    }
    numbers = {name: number for name, number in counts.items() if isinstance(number, int)}
    parts = [f"{numbers[name]:,} {text}" for name, text in words.items() if numbers[name]]
    print_line(f"{counts['customers']:,} customers with features of {view['features_on']}: {', '.join(parts)}")
