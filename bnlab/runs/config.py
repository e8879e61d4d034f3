"""The settings of a deployment, read from environment variables."""

from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


def _default_store() -> str:
    """A file in the user's data folder, which is created if it is not there."""
    folder = user_data_path("bnlab")
    with suppress(OSError):  # opening the store says what is wrong
        folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'bnlab.db'}"


class Settings(BaseSettings):
    """The variable of each field is its name in capitals with the prefix `BNLAB_`; an empty one is ignored."""

    model_config = SettingsConfigDict(
        env_prefix="BNLAB_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    store: str = Field(
        default_factory=_default_store,
        description="The store, as a SQLAlchemy URL; by default an SQLite file in the user's data folder.",
    )
    data: Path | None = Field(
        default=None,
        description="A folder whose .npz files in Keras's format are datasets, named as the files are.",
    )
    scheduler: str | None = Field(
        default=None,
        description="The address of a Dask scheduler; by default worker processes are started on this machine.",
    )
    scheduler_ca: Path | None = Field(
        default=None,
        description="With a scheduler's tls:// address: the certificates, in a PEM file, that vouch for its own.",
    )
    scheduler_cert: Path | None = Field(
        default=None, description="The certificate that bnlab shows to the scheduler, in a PEM file."
    )
    scheduler_key: Path | None = Field(default=None, description="The key of that certificate, in a PEM file.")
    worker_niceness: int = Field(
        default=10,
        ge=0,
        le=19,
        description="How much lower the priority of worker processes on this machine is than the pages', as of `nice`.",
    )
    secret: SecretStr | None = Field(
        default=None,
        description="The key that signs the cookies by which visitors are told apart; by default one in the store.",
    )
    max_queued_runs: int = Field(
        default=500, ge=1, description="The most runs of one visitor that may wait or train at a time."
    )
    max_parameters: int = Field(default=20_000_000, ge=1, description="The most parameters of a network.")
    max_steps: int = Field(default=2_000_000, ge=1, description="The most steps of a run.")
    max_memory_mb: int = Field(
        default=2_000, ge=1, description="The most memory that the training of a run may take on a worker, estimated."
    )
    max_step_seconds: float = Field(
        default=2.0, gt=0, description="The longest step of a run, estimated: a run stops between two steps."
    )
    max_store_mb: int = Field(
        default=20_000, ge=1, description="The size of the store from which on no more runs are launched."
    )
    max_sessions: int = Field(
        default=1_000, ge=1, description="The most open pages; who comes then is asked to try again soon."
    )
    confirm_runs: int = Field(default=50, ge=0, description="A launch of more runs is confirmed first.")
    confirm_minutes: float = Field(default=30, ge=0, description="A launch that takes longer is confirmed first.")
    teacher_key: SecretStr | None = Field(
        default=None, description="Who enters it on the Runs page may stop, rename, tag and delete the runs of others."
    )
    frame_ancestors: str = Field(
        default="'self'",
        description="Who may show bnlab in a frame, such as a learning platform: sources of a Content-Security-Policy.",
    )
    metrics: bool = Field(
        default=False,
        description="Whether figures for Prometheus are served at /metrics, to everybody who reaches the server.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level of what is logged."
    )

    def secret_texts(self) -> list[str]:
        """What must not appear in the log: keys, and the password of the store."""
        secrets = [secret.get_secret_value() for secret in (self.secret, self.teacher_key) if secret]
        with suppress(ArgumentError, ValueError):
            url = make_url(self.store)
            for password in (url.password, url.query.get("password")):  # libpq takes it in both places
                secrets += [str(password or ""), quote(str(password or ""), safe="")]
        return [secret for secret in secrets if secret]


def settings_error_text(error: ValidationError) -> str:
    """One sentence that names the variables whose values are refused, without the values: some are secrets."""
    variables = [f"{Settings.model_config['env_prefix']}{str(part['loc'][0]).upper()}" for part in error.errors()]
    verb = "has" if len(variables) == 1 else "have"
    return f"{' and '.join(variables)} {verb} a value that bnlab cannot use: {error.errors()[0]['msg']}."
