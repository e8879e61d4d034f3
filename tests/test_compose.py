"""compose.yaml: its profiles, commands, settings, health checks and networks. There is no Docker here to start it."""

import importlib
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bnlab.runs.config import Settings

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "bnlab"]
COMMANDS = [name for name in OURS if "command" in SERVICES[name]]


def members(profile: str) -> set[str]:
    return {name for name, service in SERVICES.items() if service["profiles"] == [profile]}


def test_one_profile_is_one_container_and_the_other_a_cluster() -> None:
    assert members("single") == {"bnlab"}
    assert members("cluster") == {"app1", "app2", "proxy", "scheduler", "worker1", "worker2", "postgres"}
    assert members("single") | members("cluster") == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check_and_waits_for_those_it_needs(name: str) -> None:
    service = SERVICES[name]
    is_checked_by_image = service["image"] == "bnlab" and "command" not in service
    assert is_checked_by_image != ("healthcheck" in service)
    for needed, wait in service.get("depends_on", {}).items():
        assert wait == {"condition": "service_healthy"}
        assert SERVICES[needed]["profiles"] == service["profiles"]


@pytest.mark.parametrize("name", OURS)
def test_environments_have_known_settings_only(name: str) -> None:
    known = {f"BNLAB_{field.upper()}" for field in Settings.model_fields}
    environment = SERVICES[name].get("environment", {})
    assert {variable for variable in environment if variable.startswith("BNLAB_")} <= known


@pytest.mark.parametrize("name", ["bnlab", "app1", "app2"])
def test_the_operators_settings_reach_the_apps(name: str) -> None:
    """A variable without a value has that of the environment in which compose is started, or is not set."""
    of_the_containers = {"store", "scheduler", "scheduler_ca", "scheduler_cert", "scheduler_key", "data"}
    handed_on = {variable for variable, value in SERVICES[name]["environment"].items() if value is None}
    settings = {f"BNLAB_{field.upper()}" for field in Settings.model_fields if field not in of_the_containers}
    assert handed_on == settings | {"STREAMLIT_SERVER_ALLOWED_HOSTS"}


@pytest.mark.parametrize("name", COMMANDS)
def test_dask_knows_the_options_of_its_commands(name: str) -> None:
    python, module_flag, module, *arguments = SERVICES[name]["command"]
    assert (python, module_flag) == ("python", "-m")
    command = importlib.import_module(module).main
    assert isinstance(command, click.Command)
    command.make_context(module, arguments)  # raises at an unknown option


def test_ports_agree() -> None:
    address = SERVICES["app1"]["environment"]["BNLAB_SCHEDULER"]
    port = address.rpartition(":")[2]
    assert port in SERVICES["scheduler"]["command"]
    assert address in SERVICES["worker1"]["command"]
    assert port in SERVICES["scheduler"]["healthcheck"]["test"][-1]
    (worker_port,) = (part.partition("=")[2] for part in SERVICES["worker1"]["command"] if "worker-port" in part)
    assert worker_port in SERVICES["worker1"]["healthcheck"]["test"][-1]
    assert re.findall(r"server (\w+):8501", (ROOT / "deploy/nginx.conf").read_text()) == ["app1", "app2"]


def test_only_pages_are_published() -> None:
    """Dask runs the code of whoever reaches it."""
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"bnlab", "proxy"}
    for name in ("scheduler", "worker1", "worker2", "postgres"):
        assert SERVICES[name]["networks"] == ["cluster"]
    assert "cluster" not in SERVICES["proxy"]["networks"]


@pytest.mark.parametrize("name", OURS)
def test_containers_are_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["ulimits"]["nofile"]["soft"] >= 65536


def test_no_password_is_in_the_file_or_in_an_url() -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert not re.search(r"://[^\s@/]*:[^\s@/]+@", text)
    assert set(re.findall(r"PASSWORD: *(\S+)", text)) == {"${POSTGRES_PASSWORD:-}"}
