"""The settings of a deployment, read from environment variables."""

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_store() -> str:
    return f"sqlite:///{user_data_path('bnlab') / 'bnlab.db'}"


class Settings(BaseSettings):
    """The variable of each field is its name in capitals with the prefix `BNLAB_`; an empty one is ignored."""

    model_config = SettingsConfigDict(env_prefix="BNLAB_", env_ignore_empty=True, frozen=True)

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
    secret: SecretStr | None = Field(
        default=None,
        description="The key that signs the cookies by which visitors are told apart; by default one in the store.",
    )
    max_queued_runs: int = Field(
        default=500, ge=1, description="The most runs of one visitor that may wait or train at a time."
    )
    max_parameters: int = Field(default=20_000_000, ge=1, description="The most parameters of a network.")
    max_steps: int = Field(default=2_000_000, ge=1, description="The most steps of a run.")
    confirm_runs: int = Field(default=50, ge=0, description="A launch of more runs is confirmed first.")
    confirm_minutes: float = Field(default=30, ge=0, description="A launch that takes longer is confirmed first.")
    teacher_key: SecretStr | None = Field(
        default=None, description="Who enters it on the Runs page may stop, rename and delete the runs of others."
    )
    frame_ancestors: str = Field(
        default="'self'",
        description="Who may show bnlab in a frame, such as a learning platform: sources of a Content-Security-Policy.",
    )
