"""The Hugging Face hub: checkpoints and datasets there and back, cards, and AutoModel."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
from hub import Hub, running
from huggingface_hub import DatasetCard, ModelCard
from pyarrow.parquet import read_table
from samples import ROOT, SEED

import attackspan
from attackspan.document import Document
from attackspan.eval.matching import pair
from attackspan.eval.metrics import score
from attackspan.eval.slices import slices
from attackspan.formats import read
from attackspan.model.checkpoint import DEFAULT, write_manifest
from attackspan.schema import default_schema
from attackspan.training.build import build
from attackspan.training.card import model_card
from attackspan.training.dataset import load_dataset
from attackspan.training.encoder import load_tokenizer

SEEDS = [SEED, *sorted((ROOT / "seeds").glob("*/as-a*.xml"), key=lambda path: path.name)]
SENTENCE = "Police blamed the rebels for the bombing."


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running() as hub:
        yield hub


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint ``runs/news``, whose torch network is a narrow one, and a dataset ``data/news``."""
    from attackspan.model.network import AttackspanConfig, AttackspanModel

    folder = tmp_path_factory.mktemp("work")
    checkpoint = folder / "runs" / "news"
    encoder = {
        "model_type": "bert",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    AttackspanModel(AttackspanConfig(encoder_config=encoder, feature_size=8)).save_pretrained(checkpoint)
    for name in ("README.md", "tokenizer.json", "encoder.onnx", "relations.onnx"):
        shutil.copy(DEFAULT / name, checkpoint)
    write_manifest(checkpoint)
    build({"all": SEEDS}, folder / "data" / "news", default_schema(), load_tokenizer("packaged"))
    return folder


def run(work: Path, address: str, *command: str) -> subprocess.CompletedProcess[str]:
    """A command under the stand-in, as a user without a cache types it."""
    bin_ = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": bin_ + os.pathsep + os.environ["PATH"],
        "HF_ENDPOINT": address,
        "HF_HOME": str(work / "cache"),
        "HF_TOKEN": "hf_stand_in",
        "HF_HUB_DISABLE_XET": "1",
    }
    return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)


def test_the_page_works_as_it_stands(hub: Hub, work: Path) -> None:
    page = (ROOT / "docs" / "hub.md").read_text()
    shell = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    first, *others = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = run(work, hub.address, "bash", "-ec", shell)
    assert done.returncode == 0, done.stderr
    for local, name in ((work / "runs/news", "models/user/news"), (work / "data/news", "datasets/user/news-data")):
        assert hub.repositories[name] == {
            str(file.relative_to(local)): file.read_bytes() for file in local.rglob("*") if file.is_file()
        }
    assert load_dataset(work / "data/again") == load_dataset(work / "data/news")

    program = f"""
{first}
import sys
assert not {{"torch", "transformers"}} & sys.modules.keys()
document = tagger.predict({SENTENCE!r})
on_cpu = list(attackspan.model.checkpoint.locate("user/news").iterdir())
{"".join(others)}
assert attackspan.load("user/news", device="meta").schema == tagger.schema
import json
print(json.dumps([document.to_dict(), [path.name for path in on_cpu]]))
"""
    done = run(work, hub.address, sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    document, on_cpu = json.loads(done.stdout.splitlines()[-1])
    assert Document.from_dict(document) == attackspan.load(work / "runs/news").predict(SENTENCE)
    assert "encoder.onnx" in on_cpu
    assert "model.safetensors" not in on_cpu
    assert set(hub.repositories["models/user/weights"]) >= {"config.json", "model.safetensors"}
    pushed = hub.repositories["datasets/user/news-parquet"]
    for split, documents in load_dataset(work / "data/news")[0].items():
        (file,) = [name for name in pushed if name.startswith(f"data/{split}-")]
        assert read_table(io.BytesIO(pushed[file]))["id"].to_pylist() == [document.id for document in documents]


@pytest.mark.parametrize(
    ("name", "why"), [("user/missing", "Repository Not Found"), ("user/broken", "disconnected without")]
)
def test_a_model_that_is_not_to_be_had_is_an_error_of_one_line(name: str, why: str, hub: Hub, work: Path) -> None:
    done = run(work, hub.address, sys.executable, "-m", "attackspan", "predict", "--model", name, str(SEED))
    assert done.returncode == 2
    assert done.stderr.startswith(f"attackspan: error: {name}: no such folder, and not to be had from the hub: ")
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "imports",
    ["import transformers, attackspan", "import attackspan, transformers",
     "import attackspan.model.network, transformers",
     "from transformers import AutoModel; import transformers, attackspan"],
)  # fmt: skip
def test_automodel_knows_the_network_whichever_is_imported_first(work: Path, imports: str) -> None:
    program = f"""
{imports}
model = transformers.AutoModel.from_pretrained("runs/news")
print(type(model) is attackspan.AttackspanModel, type(model.config) is attackspan.AttackspanConfig)
"""
    done = run(work, "http://127.0.0.1:9", sys.executable, "-c", program)
    assert done.stdout == "True True\n", done.stderr


def test_neither_transformers_nor_torch_is_imported_before_it_is_asked_for(work: Path) -> None:
    program = """
import sys, attackspan
print([name for name in ("transformers", "torch") if name in sys.modules])
import transformers
print([name for name in ("torch", "attackspan.model.network") if name in sys.modules])
"""
    done = run(work, "http://127.0.0.1:9", sys.executable, "-c", program)
    assert done.stdout == "[]\n[]\n", done.stderr


def test_without_torch_the_package_works_and_the_network_is_a_clear_error(work: Path) -> None:
    program = f"""
import sys
sys.modules["torch"] = None
import transformers, attackspan
assert attackspan.predict({SENTENCE!r}).spans
try:
    attackspan.AttackspanModel
except attackspan.AttackspanError as error:
    print(error)
"""
    done = run(work, "http://127.0.0.1:9", sys.executable, "-c", program)
    assert done.stdout == "needs torch, which an extra brings: pip install 'attackspan[train]'\n"


def test_the_model_card_gives_its_figures_to_the_hub() -> None:
    gold = list(read(SEEDS[:4]))
    found = [Document(one.id, one.text, one.spans[:9]) for one in gold]
    scores = score(gold, found, default_schema())
    run = {"config": {"data": "data/news", "output": "runs/mine", "seed": 7}, "data_sha256": "0"}
    splits = {"train": gold, "validation": gold}
    parts = slices(pair(gold, found, default_schema()), default_schema(), load_tokenizer("packaged"), [], 1, 9)
    card = ModelCard(model_card(run, splits, scores, scores, parts, 1.0, [], 60.0, False))
    assert (card.data.library_name, card.data.license, card.data.model_name) == ("attackspan", "apache-2.0", "mine")
    strict, overlap = scores.labels.strict.micro.counts, scores.labels.overlap.micro.counts
    assert [(one.metric_name, one.metric_type, one.metric_value) for one in card.data.eval_results or ()] == [
        ("strict micro f1", "f1", round(strict.f1, 4)),
        ("strict micro precision", "precision", 1.0),
        ("strict micro recall", "recall", round(strict.recall, 4)),
        ("overlap micro f1", "f1", round(overlap.f1, 4)),
    ]
    assert {(one.dataset_name, one.dataset_split) for one in card.data.eval_results or ()} == {("news", "validation")}
    shown = [part for part in parts if part.dimension in ("source", "length in words", "position")]
    assert shown
    for part in shown:
        start = f"| {part.dimension}: {part.value} | {part.documents} | {part.strict.counts.gold} | "
        assert f"{start}{100 * part.strict.counts.f1:.1f} [" in card.text
    assert card.text.startswith("\n# attackspan model") or card.text.startswith("# attackspan model")
    without = ModelCard(model_card(run, splits, None, None, [], 1.0, [], 60.0, False))
    assert "model-index" not in without.data.to_dict()


def test_a_built_folder_is_a_dataset_of_the_datasets_library(work: Path) -> None:
    folder = work / "data" / "news"
    loaded = datasets.load_from_disk(str(folder))
    splits, _ = load_dataset(folder)
    assert {name: [row["id"] for row in rows] for name, rows in loaded.items()} == {
        name: [document.id for document in documents] for name, documents in splits.items()
    }
    row, document = loaded["train"][0], splits["train"][0]
    assert [document.text[span["start"] : span["end"]] for span in row["spans"]] == [s.text for s in document.spans]
    card = DatasetCard.load(folder / "README.md")
    (config,) = card.data.to_dict()["configs"]
    for part in config["data_files"]:
        assert list(folder.glob(part["path"]))
        assert len(splits[part["split"]]) == len(loaded[part["split"]])


def test_the_names_of_the_network_are_those_of_its_module() -> None:
    from attackspan.model import network

    assert attackspan.AttackspanModel is network.AttackspanModel
    assert attackspan.AttackspanConfig is network.AttackspanConfig
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        attackspan.Nothing  # noqa: B018
