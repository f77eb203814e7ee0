"""Settings: flags, then environment, then the file in the data folder."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from oncue.core.errors import InvalidInput, Problem
from oncue.settings import CONFIG, Settings, load_settings, unknown_settings


@pytest.mark.parametrize(
    ("file", "environment", "flags", "port"),
    [
        pytest.param("", {}, {}, 8787, id="without any, the default"),
        pytest.param("ONCUE_PORT = 1", {}, {}, 1, id="the file"),
        pytest.param("ONCUE_PORT = '1'", {}, {}, 1, id="the file, as text"),
        pytest.param(
            "ONCUE_PORT = 1", {"ONCUE_PORT": "2"}, {}, 2, id="the environment is stronger"
        ),
        pytest.param("ONCUE_PORT = 1", {"ONCUE_PORT": "2"}, {"port": 3}, 3, id="a flag strongest"),
        pytest.param("ONCUE_PORT = 1", {}, {"port": None}, 1, id="a flag not given is none"),
        pytest.param(
            "ONCUE_PORT = 1",
            {"ONCUE_PORT": "tcp://10.0.0.1:8787"},
            {},
            1,
            id="what Kubernetes injects for a service called oncue is none",
        ),
        pytest.param("port = 1", {}, {}, 8787, id="names in the file are those of the environment"),
    ],
)
def test_the_stronger_place_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    environment: dict[str, str],
    flags: dict[str, object],
    port: int,
) -> None:
    (tmp_path / CONFIG).write_text(file)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert load_settings({"data": tmp_path, **flags}).port == port


def test_the_file_lies_in_the_folder_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / CONFIG).write_text(
        "ENVIRONMENT = 'production'\n"
        "ONCUE_DEDUPE_WINDOW = '2d'\n"
        "ONCUE_ALLOW_NETWORKS = ['10.1.0.0/16']\n"
        "ONCUE_DATA = '/elsewhere'\n"
    )
    monkeypatch.setenv("ONCUE_DATA", str(tmp_path))

    settings = load_settings({})

    assert settings.data == tmp_path
    assert settings.environment == "production"
    assert settings.dedupe_window == 2 * 86_400_000
    assert settings.allow_networks == (ip_network("10.1.0.0/16"),)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        pytest.param(
            "ONCUE_PORT = 'http'",
            Problem(
                "ONCUE_PORT",
                "expected an integer, got 'http'",
            ),
            id="a value that the setting does not take",
        ),
        pytest.param(
            "ONCUE_PORT",
            Problem(
                "{path}",
                "expected a file of TOML: Expected '=' after a key in a key/value pair"
                " (at end of document)",
            ),
            id="no TOML",
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_place(tmp_path: Path, file: str, problem: Problem) -> None:
    path = tmp_path / CONFIG
    path.write_text(file)

    with pytest.raises(InvalidInput) as refused:
        load_settings({"data": tmp_path})

    expected = Problem(problem.path.format(path=path), problem.message)
    assert refused.value.problems == (expected,)


def test_names_that_mean_nothing_are_told_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / CONFIG
    path.write_text("ONCUE_PROT = 1\nMAX_WORKFLOW_STEP = 2\nONCUE_DATA = '/x'\nONCUE_HOST = 'h'\n")
    environment = ["ONCUE_HOTS", "ONCUE_HOST", "ONCUE_SERVICE_HOST", "PATH"]

    assert unknown_settings(environment, tmp_path) == [
        "unknown setting ONCUE_HOTS; did you mean 'ONCUE_HOST'?",
        f"unknown setting ONCUE_PROT in {path}; did you mean 'ONCUE_PORT'?",
        f"unknown setting MAX_WORKFLOW_STEP in {path}; did you mean 'MAX_WORKFLOW_STEPS'?",
        f"ONCUE_DATA means nothing in {path}, which lies in that folder",
    ]


def test_every_setting_has_a_name_in_the_environment() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.alias] == []
