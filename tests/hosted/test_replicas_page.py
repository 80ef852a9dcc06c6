"""docs/replicas.md as it stands: from an empty folder to a token that works, and then to a clinic with a sealed key."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hosted.replicas import ACCOUNT, Page, call, clinic_apart, command, envelope, line_with

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "replicas.md").read_text("utf-8")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, by which the page makes a secret"),
]


def blocks(kind: str, folder: Path) -> list[str]:
    found = re.findall(rf"^ *```{kind}\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    return [re.sub(r"^ +", "", block.replace("/etc/cliniko", str(folder)), flags=re.MULTILINE) for block in found]


def test_the_page_leads_to_a_server_that_answers_and_to_a_clinic_with_a_sealed_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secret, add, serve, clinics, own_keys, *_ = blocks("sh", tmp_path)
    one_clinic, several, *_ = blocks("toml", tmp_path)
    subprocess.run(["bash", "-euo", "pipefail", "-c", secret], check=True)
    Path("hosted.toml").write_text(one_clinic)
    told = dict[str, str]()
    with command(*_words(add)) as adding:
        assert adding.stdout is not None and adding.stderr is not None
        told["token"], told["code"] = adding.stdout.read().decode().strip(), adding.stderr.read().decode()
    code = told["code"].split("hours: ")[1].split()[0]
    state = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    with clinic_apart("--rate-limit", "0") as clinic:
        here = {**ACCOUNT, "CLINIKO_MCP_BASE_URL": clinic.url, **state}
        line = serve.splitlines()[-1].replace("--port 8000", "--port 0")
        with command(*_words(line), **here) as server:
            address = line_with(server.stderr, r"listening on (\S+)")
            person = told["token"].removeprefix("cmp_")
            assert envelope(call(address, person, "list_patients", limit=1))["items"]
            assert "Nothing is waiting" in Page(address).post(code=code).text
        Path("hosted.toml").write_text(several)
        adding_line, list_line = clinics.splitlines()
        more = ("--key-stdin", "--base-url", clinic.url)
        with command(*_words(adding_line), *more, **state, **ACCOUNT) as adding:
            assert adding.stdin is not None and adding.stderr is not None
            adding.stdin.write(b"demo-au1\n")
            adding.stdin.close()
            assert adding.wait(300) == 0, adding.stderr.read()
        with command(*_words(list_line), **state) as listing:
            assert listing.stdout is not None
            assert listing.stdout.read().decode().split()[0] == "north"
        with command(*_words(own_keys), **state) as changing:
            assert changing.wait(300) == 0
    assert 'keys = "person"' in Path("clinics.toml").read_text()
    assert "demo-au1" not in Path("clinics.toml").read_text()
    assert os.name != "posix" or Path("clinics.toml").stat().st_mode & 0o77 == 0


def _words(line: str) -> list[str]:
    return shlex.split(line)[1:]
