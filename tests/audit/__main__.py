"""`python -m tests.audit`: 0 when nothing is found that is not accepted, 1 otherwise.

AUDIT_ONLINE=required asks for answers of the services, too, and fails without them.
"""

import os
import sys
from pathlib import Path

from tests.audit.advisories import UnusableList, accepted, known
from tests.audit.looking import NPM_LOCKS, ROOT, by_list, by_npm_audit, by_pip_audit, everything_locked


def main(root: Path = ROOT) -> int:
    """Look everywhere, and tell."""
    try:
        reasons, listed = accepted(), known()
    except UnusableList as error:
        print(error)
        return 1
    packages = everything_locked(root)
    in_list = by_list(packages, listed)
    asked = [by_pip_audit(packages), *(by_npm_audit(root / folder) for folder in NPM_LOCKS)]
    findings = {*in_list.findings, *(finding for one in asked for finding in one.findings)}
    refused = sorted(finding for finding in findings if str(finding) not in reasons)
    unused = sorted(reasons.keys() - {str(finding) for finding in findings})
    unanswered = [sentence for one in asked for sentence in one.unknown]
    for finding in refused:
        print(f"KNOWN WEAKNESS  {finding}")
    for entry in unused:
        print(f"ACCEPTED, BUT NOT FOUND  {entry}")
    for sentence in [*unanswered, *(in_list.unknown if unanswered else [])]:
        print(f"not known  {sentence}")
    blind = listed.never_looked_up(packages) if unanswered else []
    if blind:
        print("What neither our list nor a service knows is not let through: audit where the services answer, or gather the list anew")
    required = os.environ.get("AUDIT_ONLINE") == "required" and bool(unanswered)
    if required:
        print("AUDIT_ONLINE=required, and not every service has answered")
    where = "in our list" if unanswered else "in our list and by the services"
    print(f"{len(packages)} locked packages looked up {where}: {len(refused)} known weaknesses")
    return 1 if refused or unused or blind or required else 0


if __name__ == "__main__":
    sys.exit(main())
