"""The datasets of this deployment: those that bnlab knows and the files in the folder that the settings name."""

from bnlab.model.dataset_files import register_folder
from bnlab.model.dataset_statistics import file_statistics
from bnlab.runs.config import Settings
from bnlab.specs.dataset_statistics import use_file_statistics


def register_datasets() -> None:
    """Add the datasets in the settings' folder, if there is one, to the registry; new files are found by a repetition.

    Every process does so before it reads specs.

    Raises:
        bnlab.specs.datasets.DatasetError: the folder cannot be read.
    """
    folder = Settings().data
    if folder is not None:
        register_folder(folder)
        use_file_statistics(file_statistics)
