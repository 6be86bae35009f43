"""Where an import's objects lie in the bucket."""

UPLOADS = "imports/uploads/"
"""Below this every upload lies under its import's id; that one is written here is what starts the import."""


def upload_key(import_id: str) -> str:
    return f"{UPLOADS}{import_id}"


def rejects_key(import_id: str) -> str:
    return f"imports/rejects/{import_id}.csv"


def work_key(import_id: str, name: str) -> str:
    return f"imports/work/{import_id}/{name}"
