"""Do other trainers read what `versatune compose --export` writes? Asks those that are installed.

python benchmarks/interop.py [FOLDER ...]: folders with installed packages, put on the path first.
"""

import os
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

import yaml

from versatune.compose import compose
from versatune.data import load_data
from versatune.domains import DomainWeights
from versatune.interop import export_mixture
from versatune.lab import lab_model

sys.path[:0] = sys.argv[1:]
os.environ["DISABLE_VERSION_CHECK"] = "1"  # LLaMA-Factory's, of packages that parsing does not use
warnings.filterwarnings("ignore")


def llamafactory(folder):
    from llamafactory.hparams import get_train_args

    config = yaml.safe_load((folder / "llamafactory.yaml").read_text())
    _, data, _, lora, _ = get_train_args(config)
    return f"{lora.finetuning_type}, rank {lora.lora_rank}, data {', '.join(data.dataset)}"


def axolotl(folder):
    from axolotl.utils.schemas.config import AxolotlInputConfig

    config = AxolotlInputConfig(**yaml.safe_load((folder / "axolotl.yaml").read_text()))
    return f"{config.adapter}, rank {config.lora_r}, {config.datasets[0].type}"


def trl(folder):
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, TrlParser
    from trl import get_dataset

    kinds = (ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig)
    typed = ["--config", str(folder / "trl.yaml"), "--use_cpu"]
    *_, data = TrlParser(kinds).parse_args_and_config(typed)
    return f"{get_dataset(data)['train'].num_rows} rows"


if __name__ == "__main__":
    mixture = compose(load_data("starter"), DomainWeights.uniform(), 60)
    with tempfile.TemporaryDirectory() as place:
        for ask in (llamafactory, axolotl, trl):
            name, folder = ask.__name__, Path(place) / ask.__name__
            export_mixture(mixture, folder, name, str(lab_model()))
            try:
                print(f"{name} {version(name)}: {ask(folder)}")
            except ImportError as error:
                print(f"{name}: not here ({error})")
