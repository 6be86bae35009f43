"""Adds up the unzipped size of each function: its own code and its layers.

Run as `python tools/sizes.py build/arm64 build/x86_64`, the folders that `sam build` wrote. Exits with 1 if a function exceeds
its budget.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIMIT = 262_144_000  # bytes, unzipped: AWS's limit for a function with its layers
BUDGETS = {
    frozenset({"CoreLayer"}): 40_000_000,
    frozenset({"CoreLayer", "MlLayer"}): 205_000_000,
    frozenset({"CoreLayer", "ExplainLayer"}): 250_000_000,
    frozenset({"CoreLayer", "HistoryLayer"}): 160_000_000,
}


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def function_sizes(built: Path) -> Mapping[str, tuple[int, int]]:
    """Function → (bytes with its layers, budget in bytes), of one folder that `sam build` wrote."""
    from samtranslator.yaml_helper import yaml_parse

    resources: dict[str, Any] = yaml_parse((built / "template.yaml").read_text())["Resources"]
    functions = {name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == "AWS::Serverless::Function"}
    sizes = {}
    for name, properties in functions.items():
        layers = {layer["Ref"] for layer in properties["Layers"]}
        total = size(built / properties["CodeUri"]) + sum(size(built / resources[layer]["Properties"]["ContentUri"]) for layer in layers)
        sizes[name] = (total, BUDGETS[frozenset(layers)])
    return sizes


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Unzipped size of every function with its layers, against AWS's limit.")
    parser.add_argument("built", type=Path, nargs="+", help="folder written by sam build")
    over = 0
    for built in parser.parse_args().built:
        print(f"{built.name:<24}{'bytes':>14}{'budget':>14}{f'of {LIMIT:,}':>16}")
        for function, (total, budget) in function_sizes(built).items():
            over += total > budget
            print(f"  {function:<22}{total:>14,}{budget:>14,}{total / LIMIT:>15.1%}{'  over budget' if total > budget else ''}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
