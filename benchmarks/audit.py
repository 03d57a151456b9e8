"""Known vulnerabilities of what is installed: `make audit` has pip-audit ask, and this says in a line what came of it.

pip-audit also ends well where nobody could tell it anything; that is no clean bill, and is said here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from typing import Any

OURS = "pip"  # stands in every environment, and is nothing that the playground needs


def said(told: str) -> tuple[int, list[str]]:
    """The exit status and the lines to print for what pip-audit wrote as JSON; "" where it broke off."""
    try:
        packages: list[dict[str, Any]] = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, ["NOT AUDITED: the service that knows vulnerabilities cannot be reached from here."]
    packages = [package for package in packages if package["name"] != OURS]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    lines = [f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or '-'}"
             for package in packages for one in package.get("vulns", ())]  # fmt: skip
    if len(unknown) == len(packages):
        return 0, ["NOT AUDITED: the package index here knows nothing of vulnerabilities."]
    found, rest = len(lines), f"; nothing is known of {', '.join(unknown)}" if unknown else ""
    lines.append(f"{found} known vulnerabilities in {len(packages) - len(unknown)} packages{rest}.")
    return int(found > 0), lines


def main(command: Sequence[str]) -> int:
    """Run pip-audit, given as a command, over the packages of this Python; 1 where it found something."""
    asked = [*command, "--path", sysconfig.get_path("purelib"), "--format", "json", "--progress-spinner", "off",
             "--timeout", "15"]  # fmt: skip
    status, lines = said(subprocess.run(asked, capture_output=True, text=True, check=False).stdout)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
