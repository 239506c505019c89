"""Packaging, read from settings.ini, the one place where names and requirements stand."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

cfg = ConfigParser(delimiters=["="])
cfg.read("settings.ini", encoding="utf-8")
cfg = cfg["DEFAULT"]
extras = {
    name: cfg[f"{name}_requirements"].split()
    for name in ("eval", "demo", "embed", "vllm", "label", "docs", "dev")
}

setup(
    name=cfg["lib_name"],
    version=cfg["version"],
    description=cfg["description"],
    keywords=cfg["keywords"],
    author=cfg["author"],
    author_email=cfg["author_email"],
    url=cfg["git_url"],
    license="Apache-2.0",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    packages=find_packages(include=["versatune", "versatune.*"]),
    package_data={"versatune": ["starter/*/*.jsonl", "weights/*", "task_files/*.yaml", "*.j2"]},
    zip_safe=False,
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require=extras,
    entry_points={"console_scripts": cfg["console_scripts"].split()},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Natural Language :: English",
    ]
    + [f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)],
)
