"""The YAML file that says where a data set is and which groups are declared on it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from ..candidates.dataset import Dataset
from ..candidates.groups import GroupsConfig
from ..candidates.read import RecBoleMapping, TableMapping, read_recbole, read_tables
from ..config_files import read_yaml, validate


class RecBoleFolder(RecBoleMapping):
    """A folder of RecBole atomic files, and which of its columns say what."""

    folder: Path


class ImportFile(BaseModel):
    """One data set: RecBole atomic files or tables, and its groups.

    Attributes:
        recbole: A folder of atomic files.
        tables: CSV or Parquet files with the names of their columns.
        groups: Item and user groups; long tail and activity where none are declared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recbole: RecBoleFolder | None = None
    tables: TableMapping | None = None
    groups: GroupsConfig = GroupsConfig()

    @model_validator(mode="after")
    def _one_source(self) -> "ImportFile":
        if (self.recbole is None) == (self.tables is None):
            raise ValueError("give either 'recbole' or 'tables'")
        return self

    def read(self) -> Dataset:
        """Read the data set that the file describes."""
        if self.tables is not None:
            return read_tables(self.tables)
        assert self.recbole is not None  # _one_source
        return read_recbole(self.recbole.folder, self.recbole)


def read_import_file(path: Path) -> ImportFile:
    """Read an import file; paths in it are relative to its own folder.

    Raises:
        InvalidValue: It cannot be read, or a key or value is not known.
    """
    spec = read_yaml(path)
    for section, keys in (("recbole", ("folder",)), ("tables", ("interactions", "users", "items"))):
        values = spec.get(section)
        if isinstance(values, dict):
            spec[section] = values | {
                key: path.parent / str(values[key]) for key in keys if values.get(key) is not None
            }
    return validate(ImportFile, spec)
