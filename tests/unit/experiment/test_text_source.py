"""A person's own text takes the place of a text, and of nothing else that is trained on."""

from pathlib import Path

import pytest

from moebench.cli.reproduce import ReproduceOptions, reproduce
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.run.plan_jobs import load_arm

CONFIGS = Path(__file__).parents[2] / "configs" / "tiny_2026"
OWN = {"data.source": {"class_path": "Files", "init_args": {"path": "mine"}}}
ARMS = {"text": ["switch_8.yaml"], "world": ["switch_8.yaml", "recall.yaml"]}


def paper(folder: Path, *arms: str) -> Target:
    """A paper of these arms."""
    profile = Profile("quick", arms, 1, {})
    plan = Plan([Arm(name, ARMS[name]) for name in arms], [profile], {})
    about = Paper(key="p_2021", title="P", authors="A", year=2021, arxiv="")
    return Target(about, [], plan, CONFIGS, folder / "results.jsonl")


def test_only_arms_of_a_text_are_given_it(tmp_path: Path) -> None:
    found = paper(tmp_path, "text", "world")
    [profile] = found.plan.profiles
    text, world = (load_arm(found, arm, profile, OWN).config["data"] for arm in found.plan.arms)
    assert text["init_args"]["source"]["init_args"]["path"] == "mine"
    assert "source" not in world["init_args"]


@pytest.mark.parametrize("arms", [["world"], []])
def test_a_paper_without_one_refuses_it(arms: list[str], tmp_path: Path) -> None:
    options = ReproduceOptions(settings=OWN, root=tmp_path / "runs", track=False)
    with pytest.raises(ValueError, match=r"^target=p_2021: trains on no text, so --data does not"):
        reproduce(paper(tmp_path, *arms), options)
    assert not list(tmp_path.iterdir())
