"""Make a small state directory with the code of an older revision, for tests of upgrades.

python tools/make_state.py REVISION OUT.tar.xz

The archive holds ``root``, a few files of code and prose, and ``state``, what the agentd of that revision left after it
had indexed and embedded them and was stopped. Its ``index.db`` knows the root by the path at which it was made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
DEADLINE = 60.0
FILES = 12


def write_corpus(root: Path) -> None:
    """Modules that call each other, one long enough for several passages, and a page about them."""
    for number in range(FILES):
        steps = "\n".join(
            f"    def step_{step}(self, amount: int) -> int:\n"
            f'        """Take step {step} of machine {number}, which needs an amount of grease."""\n'
            f"        return helper_{(number + 1) % FILES}(amount) + {step}\n"
            for step in range(30 if number == 0 else 2)
        )
        text = (
            f"from machine_{(number + 1) % FILES} import helper_{(number + 1) % FILES}\n\n\n"
            f"def helper_{number}(amount: int) -> int:\n"
            f'    """Weigh the cogs of machine {number}."""\n    return amount * {number}\n\n\n'
            f"class Machine{number}:\n{steps}"
        )
        (root / f"machine_{number}.py").write_text(text)
    (root / "README.md").write_text("# Machines\n\n## Grease\n\nEvery machine wants grease before it starts to turn.\n")


def run_daemon(source: Path, place: Path) -> None:
    """Have the agentd in ``source`` index ``place/root`` into ``place/state``, and stop it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTD_")}
    environment |= {
        "PYTHONPATH": str(source),
        "HOME": str(place),
        "AGENTD_STATE_DIR": str(place / "state"),
        "AGENTD_SOCKET": str(place / "run" / "agentd.sock"),
    }
    daemon = subprocess.Popen([sys.executable, "-m", "agentd"], env=environment, cwd=place)
    try:
        deadline = time.monotonic() + DEADLINE
        while not (place / "run" / "agentd.sock").exists():
            if time.monotonic() > deadline or daemon.poll() is not None:
                raise SystemExit("the daemon did not start")
            time.sleep(0.1)
        for command in (["add", str(place / "root")], ["wait", "--timeout", "60"]):
            code = "import sys; from agentd.cli.main import main; sys.exit(main())"
            subprocess.run([sys.executable, "-c", code, *command], env=environment, cwd=place, check=True)
    finally:
        daemon.terminate()
        daemon.wait(DEADLINE)


def main(revision: str, out: Path) -> None:
    """Make the archive."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        source, place = Path(folder, "source"), Path(folder, "place")
        subprocess.run(["git", "worktree", "add", "--detach", str(source), revision], cwd=REPOSITORY, check=True)
        try:
            (place / "root").mkdir(parents=True)
            write_corpus(place / "root")
            run_daemon(source, place)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(source)], cwd=REPOSITORY, check=True)
        with tarfile.open(out, "w:xz", preset=9) as archive:
            for name in ("root", "state"):
                archive.add(place / name, arcname=name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
