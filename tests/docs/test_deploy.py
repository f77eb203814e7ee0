"""What deploys OnCue: settings that exist, one address and folder, hashes, and no root."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from oncue.settings import DEFAULT_PORT, Settings
from tests.architecture.rules import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: Any = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
ONE = COMPOSE["services"]["oncue"]
UNIT = (ROOT / "deploy/oncue.service").read_text(encoding="utf-8")
OURS = {str(field.alias) for field in Settings.model_fields.values()}
# Of Python and of the shell.
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK",
          "PIP_ONLY_BINARY"}  # fmt: skip


def test_every_variable_is_a_setting() -> None:
    image = re.findall(r"\b([A-Z][A-Z_]+)=", DOCKERFILE)
    unit = re.findall(r"\b([A-Z][A-Z_]{3,})=", UNIT)
    composed = ONE["environment"]

    assert {*image, *unit, *composed} - OTHERS - OURS == set()


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    last_user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    admitted = (ROOT / ".dockerignore").read_text(encoding="utf-8")

    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert last_user == "10001:10001"
    assert copied == set(re.findall(r"^!(\S+)", admitted, re.MULTILINE))
    assert all((ROOT / name).exists() for name in copied)


def test_image_and_composition_agree() -> None:
    (folder,) = re.findall(r"^VOLUME (\S+)", DOCKERFILE, re.MULTILINE)

    assert f"EXPOSE {DEFAULT_PORT}" in DOCKERFILE
    assert f"ONCUE_DATA={folder}" in DOCKERFILE
    assert ONE["volumes"] == [f"data:{folder}"]
    assert ONE["ports"] == [f"127.0.0.1:{DEFAULT_PORT}:{DEFAULT_PORT}"]
    assert (ROOT / "deploy" / ONE["build"] / "Dockerfile").exists()
    assert ONE["read_only"]


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not here")
    path = tmp_path / "oncue.service"
    path.write_text(UNIT.replace("/opt/oncue/bin/oncue", shutil.which("true") or ""))

    checked = subprocess.run(
        [verify, "verify", "--man=no", path], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")
