"""How tuning and learning went, as event files that TensorBoard shows.

The files are written with TensorBoard's own writer, without torch: tuning a baseline needs none.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..candidates.folders import write_folder_atomically


class CurveValues(NamedTuple):
    """What was measured at one point.

    Attributes:
        steps: User-steps of simulation spent.
        values: By name; ``/`` groups names.
    """

    steps: int
    values: Mapping[str, float]


Curve = tuple[CurveValues, ...]


def write_curve(folder: Path, curve: Curve) -> None:
    """Write one run of TensorBoard, whole or not at all; an earlier one of that name is replaced.

    Args:
        folder: The run; the folder above is what ``tensorboard --logdir`` takes.
        curve: Its points; nothing is written where there are none.

    Raises:
        StorageFull: The disk refused; nothing was kept.
    """
    if not curve:
        return
    # Imported here: reading a configuration, or training without a folder, needs no TensorBoard.
    from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue] - generated when imported
    from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue] - likewise
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    def fill(temporary: Path) -> None:
        writer = EventFileWriter(str(temporary))
        for steps, values in curve:
            scalars = [Summary.Value(tag=tag, simple_value=v) for tag, v in values.items()]
            summary = Summary(value=scalars)
            writer.add_event(Event(wall_time=time.time(), step=steps, summary=summary))
        writer.close()

    write_folder_atomically(folder, fill)
