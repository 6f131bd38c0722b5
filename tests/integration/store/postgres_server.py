"""A real PostgreSQL server of its own: made, started, stopped in every way, and thrown away."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path

PASSWORD = "hunter2-secret"


def programs() -> Path | None:
    """Where initdb and pg_ctl are; of several servers the newest."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda p: int(p.parent.name), default=None)


class Server:
    """Trusts who comes by its socket, wants :data:`PASSWORD` of who comes by TCP. The user is ``riskd``."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._owner = self._unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="riskd-postgres-"))
        if self._owner:
            os.chown(self.folder, pwd.getpwnam(self._owner).pw_uid, -1)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._numbers = count(1)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        auth = ("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}")
        self._run("initdb", "-D", self.folder / "data", "-U", "riskd", "--no-locale", "-E", "UTF8", *auth)
        self.start()

    def start(self) -> None:
        options = f"-F -p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_wal_size=4GB"
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """``immediate`` is a crash: nobody is told, nothing is tidied."""
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-m", mode, "stop")

    def new_database(self) -> str:
        """URL, by the socket, of a database that is empty."""
        name = f"store{next(self._numbers)}"
        self._run("createdb", "-h", self.folder, "-p", str(self.port), "-U", "riskd", name)
        return f"postgresql://riskd@/{name}?host={self.folder}&port={self.port}"

    def by_tcp(self, url: str, password: str) -> str:
        """The same database by TCP."""
        name = url.partition("@/")[2].partition("?")[0]
        return f"postgresql://riskd:{password}@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        subprocess.run(
            [self._programs / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop"], **self._as(), check=False
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run([self._programs / program, *arguments], **self._as(), check=False)
        assert done.returncode == 0, f"{program} failed; see {self.folder}"

    def _as(self) -> dict[str, object]:
        quiet: dict[str, object] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.folder}
        return quiet | ({"user": self._owner} if self._owner else {})

    @staticmethod
    def _unprivileged() -> str | None:
        """PostgreSQL refuses to run as root."""
        if os.geteuid():
            return None
        known = {user.pw_name for user in pwd.getpwall()}
        return "postgres" if "postgres" in known else "nobody"
