"""The first words of an analysis, from findings written by hand."""

from typing import Any

import pytest

from moebench.report.routing.opening import opening


def layer(
    token: float = 0.3, topic: float = 0.01, excess: float = 0.1, **load: Any
) -> dict[str, Any]:
    return {
        "experts": 4,
        "repeats": {
            "first": 0.25 + excess,
            "first_null": 0.25,
            "first_excess": excess,
            "first_se": 0.01,
        },
        "domains": {
            "nmi": topic + 0.02,
            "nmi_null": 0.02,
            "nmi_null_high": 0.04,
            "load": [0.5, 0.25, 0.25, 0.0],
            **load,
        },
        "tokens": {"nmi": token + 0.05, "nmi_null": 0.05},
    }


def findings(*layers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "layers": layers,
        "tokens": 2048,
        "length": 64,
        "loss": {"mean": 2.5},
        "domains": ["art", "law"],
        "too_short": [],
        **changes,
    }


def test_it_says_what_the_routers_follow_and_how_sure() -> None:
    assert opening(findings(layer(), layer(topic=0.09, excess=0.001))) == [
        "The routers follow the token, not the topic: from 0 (chance) to 1 (certainty), the token "
        "predicts the expert at 0.30 and the domain of the text at 0.050, which is above chance in "
        "1 of 2 layers.",
        "In 1 of 2 layers, neighbouring tokens share their first expert more often than shuffled "
        "ones: at most 35.0% against 25.0% (layer 0).",
        "The busiest expert of a layer gets 2.0 times an even share; 2 experts got no tokens.",
        "This took no training: the model read 2,048 tokens in 32 windows, with a loss of 2.500 "
        "nats per token. Not known: whether a model trained with another seed routes the same way.",
    ]


@pytest.mark.parametrize(
    ("token", "topic", "who"),
    [
        (0.01, 0.3, "the topic, not the token"),
        (0.3, 0.2, "both token and topic"),
        (-0.01, 0.0, "neither token nor topic"),
    ],
)
def test_token_or_topic(token: float, topic: float, who: str) -> None:
    assert f"The routers follow {who}:" in opening(findings(layer(token, topic)))[0]


def test_one_domain_and_one_window_leave_things_open() -> None:
    alone = layer(nmi=None, nmi_null=None, nmi_null_high=None)
    told = " ".join(opening(findings(alone, tokens=64, domains=["art"], too_short=["law"])))
    assert "follow" not in told
    assert told.startswith("The token predicts its expert at 0.30, from 0 (chance) to 1")
    assert "neighbouring" not in told
    assert "the role of the topic, because the text has one domain" in told
    assert "the effect of chance, because there is one window; law, which is shorter" in told


def test_neighbours_that_only_chance_brings_together() -> None:
    assert "no more often than shuffled ones" in " ".join(opening(findings(layer(excess=0.01))))
