import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "feedback_loop.py"


def test_the_example_runs(capsys):
    runpy.run_path(str(EXAMPLE))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines if line[1] == "engagement"] == ["0", "1", "2", "3"]
    came = [float(line[2]) for line in lines if line[1] == "active_users"]
    assert came[0] == 120
    assert all(0 < users < 120 for users in came[1:])
