"""The notebooks, in their short versions."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ROOT

NOTEBOOKS = sorted((pathlib.Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))

#: Runs the cells of a notebook one after the other, as Jupyter would but for its pictures.
RUN = """
import json, sys
names = {"__name__": "__main__"}
for number, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
"""


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook, tmp_path):
    if notebook.stem.startswith("torch") and not has("torch"):
        pytest.skip("torch is not installed")
    environment = {**os.environ, "FIRSTSPIKE_SHORT": "1", "FIRSTSPIKE_ROOT": str(ROOT)}
    if has("nbclient") and has("ipykernel"):
        code = (
            "import nbformat, nbclient, sys\n"
            "notebook = nbformat.read(sys.argv[1], as_version=4)\n"
            "nbclient.NotebookClient(notebook, timeout=300, kernel_name='python3').execute()\n"
        )
    else:
        code = RUN
    ran = subprocess.run(
        [sys.executable, "-c", code, str(notebook)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_results(notebook):
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
