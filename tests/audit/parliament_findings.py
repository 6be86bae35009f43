"""Run by the Python of .venv-audit: the findings of parliament in the policies that standard input has as JSON, by name."""

import json
import sys
import warnings

warnings.simplefilter("ignore")  # pkg_resources is deprecated, and parliament has invalid escape sequences

from parliament import analyze_policy_string, enhance_finding  # noqa: E402


def main() -> None:
    findings = {}
    for name, text in json.load(sys.stdin).items():
        found = [enhance_finding(finding) for finding in analyze_policy_string(text).findings]
        findings[name] = sorted({f"{finding.issue} {finding.detail}" for finding in found})
    json.dump(findings, sys.stdout)


if __name__ == "__main__":
    main()
